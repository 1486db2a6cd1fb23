#!/bin/sh
# Make what is not there yet of docker/secrets/ and docker/certificates/. As root: the containers' account has to read
# them, and nobody else of the host. Each secret is a file that everybody may read, in a directory that only its owner
# may enter: Compose mounts the files one by one, as they are.
set -eu
cd "$(dirname "$0")"
umask 077

random() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

# What recordings are sealed under. Without it nobody hears them: keep a copy of it elsewhere.
recording_key() {
    printf 'first %s' "$(head -c 32 /dev/urandom | base64)"
}

keep() {
    if [ ! -e "secrets/$1" ]; then
        printf '%s\n' "$2" > "secrets/.$1"
        chmod 444 "secrets/.$1"
        mv "secrets/.$1" "secrets/$1"
        echo "made: secrets/$1"
    fi
}

mkdir -p secrets certificates
chown 10001:10001 certificates
keep secret-key "$(random)"
keep postgres-password "$(random)"
keep database-url "postgres://sparkle:$(cat secrets/postgres-password)@postgres:5432/sparkle"
keep valkey-auth "requirepass $(random)"
keep recording-keys "$(recording_key)"
# Whoever has them writes them into these files.
keep email-password ""
keep summary-key ""
keep redis-url "redis://:$(sed 's/requirepass //' secrets/valkey-auth)@valkey:6379/0"
