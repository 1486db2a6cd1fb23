# Caddy, not as root.
# From the repository's root: docker build -f docker/proxy.Dockerfile docker

FROM caddy:2.11.7-alpine
LABEL org.opencontainers.image.title="SparkleConference proxy" \
      org.opencontainers.image.description="Caddy with the addresses of SparkleConference"

# The same number as in the other images: what it gets by ACME is in /certificates, for FreeSWITCH too.
RUN addgroup -g 10001 sparkle \
    && adduser -u 10001 -G sparkle -D -H -h /nonexistent -s /sbin/nologin sparkle
ENV XDG_DATA_HOME=/certificates \
    XDG_CONFIG_HOME=/tmp
COPY Caddyfile /etc/caddy/Caddyfile

USER 10001:10001
