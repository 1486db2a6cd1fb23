# The application. Web, WebSockets, switchboard, workers, beat and every `manage.py` command are this one image.
# From the repository's root: docker build -f docker/app.Dockerfile .
# With --build-arg REQUIREMENTS=requirements-minutes.txt (or requirements-whisperx.txt): the worker for minutes.
# (docs/production.md, "Images", says how to pin the base images by digest and to attach a bill of materials.)

ARG NODE_IMAGE=node:24.19.0-alpine3.24
ARG PYTHON_IMAGE=python:3.11.17-slim-trixie

FROM ${NODE_IMAGE} AS frontend
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY frontend ./
RUN npm run build

FROM ${PYTHON_IMAGE} AS packages
ARG REQUIREMENTS=requirements.txt
WORKDIR /build
COPY requirements.txt requirements-minutes.txt requirements-whisperx.txt constraints.txt ./
# Wheels only, so that no compiler is needed (greenswitch, which has none, is Python alone); no pip in what is kept.
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv --without-pip /opt/sparkle \
    && pip --python /opt/sparkle/bin/python install --disable-pip-version-check \
        --only-binary :all: --no-binary greenswitch \
        --requirement "$REQUIREMENTS" --constraint constraints.txt

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="SparkleConference" \
      org.opencontainers.image.description="Telephone conferences: web, switchboard and workers" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# The same number as in the FreeSWITCH image: they share the node's files, the sounds and the spool.
RUN groupadd --gid 10001 sparkle \
    && useradd --uid 10001 --gid sparkle --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin sparkle \
    && install --directory --owner sparkle --group sparkle --mode 0700 \
        /var/lib/sparkle /var/lib/sparkle/node /var/lib/sparkle/sounds /var/lib/sparkle/spool \
        /var/lib/sparkle/recordings /var/lib/sparkle/models

ENV PATH=/opt/sparkle/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SPARKLE_ENV=production \
    SPARKLE_VAR=/var/lib/sparkle \
    SPARKLE_STATIC_ROOT=/app/static

WORKDIR /app
COPY --from=packages /opt/sparkle /opt/sparkle
COPY manage.py ./
COPY locale locale
COPY freeswitch freeswitch
COPY sparkle sparkle
COPY apps apps
COPY --from=frontend /build/apps/console/static/console apps/console/static/console
# The settings ask for secrets that collecting files does not use; these are nobody's.
RUN SPARKLE_SECRET_KEY=none DATABASE_URL=postgres://none/none REDIS_URL=redis://none \
        python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q /app

USER 10001:10001
