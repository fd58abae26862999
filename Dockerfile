# Two stages: the first checks every library against its pinned hash and installs exosync into
# /opt/exosync; the second is the base and that folder, nothing else, and needs no shell.
# docs/guides/container.md tells how to build it, also on a base without a shell (distroless).
#
# BUILD_BASE: any image with a shell and Python 3.11 to 3.13 with venv. Name it by its digest
# (python:3.13-slim@sha256:...) for an image that comes out the same whenever it is built.
ARG BUILD_BASE=python:3.13-slim
# BASE: what the image stands on, with Python of the same minor version.
ARG BASE=${BUILD_BASE}

FROM ${BUILD_BASE} AS build
# EXTRAS: any of google (Google's client), exchange (tokens of Microsoft Entra) and apprise (alerts
# to chat and paging services), or none.
ARG EXTRAS=google,exchange,apprise
# PYTHON: where BASE has its interpreter, if not where BUILD_BASE has it.
ARG PYTHON=
# A company's own package index; pip's default without it.
ARG PIP_INDEX_URL
# Seconds since 1970, not before 1980: the time of every file.
ARG SOURCE_DATE_EPOCH=315532800
WORKDIR /source
COPY requirements requirements
RUN python3 -m venv /build \
    && /build/bin/pip install --no-cache-dir --require-hashes --only-binary :all: \
        -r requirements/build.txt \
    && /build/bin/pip download --no-cache-dir --require-hashes --only-binary :all: \
        --dest /libraries -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY adapters adapters
# What is not among the checked libraries cannot be installed: no index is asked any more.
# Of Google's 600 discovery documents (110 MB), the three that exosync uses stay.
# Compiled here, as a read-only image could not do it later; by hash and not by time, and each
# file with the time given, so that the same source makes the same layer.
RUN /build/bin/python -m hatchling build --target wheel --directory /libraries \
    && python3 -m venv --without-pip /opt/exosync \
    && /build/bin/pip --python /opt/exosync/bin/python3 install --no-cache-dir --no-compile \
        --no-index --find-links /libraries "exosync[${EXTRAS}]" \
    && find /opt/exosync/lib -path '*/discovery_cache/documents/*' \
        ! -name 'admin.reports_v1.json' ! -name 'cloudidentity.v1.json' \
        ! -name 'gmail.v1.json' -delete \
    && PYTHONHASHSEED=0 python3 -m compileall -q --invalidation-mode unchecked-hash \
        /opt/exosync/lib \
    && find /opt/exosync/bin -type f ! -name exosync -delete \
    && python=${PYTHON:-$(command -v python3)} \
    && ln -sf "$python" /opt/exosync/bin/python3 \
    && printf 'home = %s\ninclude-system-site-packages = false\n' "${python%/*}" \
        >/opt/exosync/pyvenv.cfg \
    && mkdir -p /image/opt /image/var/lib \
    && mv /opt/exosync /image/opt/exosync \
    && install --directory --owner=65532 --group=0 --mode=0770 /image/var/lib/exosync \
    && find /image -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

FROM ${BASE}
ARG BASE
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="exosync" \
    org.opencontainers.image.description="Keeps mail gateways and SPF records in step with Exchange Online's published IP ranges" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.base.name="${BASE}"
COPY --from=build /image /
ENV PATH=/opt/exosync/bin:$PATH \
    EXOSYNC_CONFIG=/etc/exosync/exosync.yaml \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /var/lib/exosync
VOLUME /var/lib/exosync
EXPOSE 8620
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=1m --timeout=15s --start-period=1m --retries=3 \
    CMD ["exosync", "serve", "--health"]
ENTRYPOINT ["exosync"]
CMD ["serve"]
