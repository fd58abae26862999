# Two stages: the wheel is built with the pinned build tools, then installed with the pinned
# requirements and nothing else. BASE is any image with Python 3.11 to 3.13 and venv.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /source
COPY requirements requirements
RUN python3 -m venv /build \
    && /build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt \
    && python3 -m venv /opt/exosync \
    && /opt/exosync/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY adapters adapters
RUN /build/bin/python -m hatchling build --target wheel --directory /wheel \
    && /opt/exosync/bin/pip install --no-cache-dir --no-index --no-deps /wheel/*.whl

FROM ${BASE}
COPY --from=build /opt/exosync /opt/exosync
RUN install --directory --owner=65532 --group=65532 --mode=0750 /var/lib/exosync
ENV PATH=/opt/exosync/bin:$PATH \
    PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /var/lib/exosync
VOLUME /var/lib/exosync
ENTRYPOINT ["exosync"]
CMD ["--help"]
