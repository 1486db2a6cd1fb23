# FreeSWITCH from Alpine's own package, which carries every module of freeswitch/conf (opus, spandsp for G.722,
# conference, xml_curl, sofia). There is no configuration in it: a node's own is rendered into a volume
# (compose.yaml, freeswitch-config).
# From the repository's root: docker build -f docker/freeswitch.Dockerfile docker

FROM alpine:3.24.2
LABEL org.opencontainers.image.title="SparkleConference FreeSWITCH" \
      org.opencontainers.image.description="The FreeSWITCH of Alpine Linux, for a node of SparkleConference"

# The same number as in the application's image: they share the node's files, the sounds and the spool.
RUN apk add --no-cache "freeswitch=~1.10.12" \
    && addgroup -g 10001 sparkle \
    && adduser -u 10001 -G sparkle -D -H -h /nonexistent -s /sbin/nologin sparkle \
    && install -d -o sparkle -g sparkle -m 0700 \
        /var/lib/sparkle /var/lib/sparkle/node /var/lib/sparkle/sounds /var/lib/sparkle/spool

USER 10001:10001

# In the foreground, warnings on standard output (`-nc` would silence it); at normal priority, without NAT protocols. With
# its whole path: when it starts anew it calls itself by this name (switch.c:1244).
CMD ["/usr/bin/freeswitch", "-c", "-np", "-nonat", \
     "-conf", "/var/lib/sparkle/node/conf", \
     "-certs", "/var/lib/sparkle/node/certs", \
     "-db", "/var/lib/sparkle/node/db", \
     "-log", "/var/lib/sparkle/node/log", \
     "-run", "/var/lib/sparkle/node/run", \
     "-sounds", "/var/lib/sparkle/node/sounds", \
     "-temp", "/var/lib/sparkle/node/temp"]
