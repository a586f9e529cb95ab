# `rlm` and what it needs, and nothing else:
#
#   docker build -t rlm .
#   docker run --rm -v "$PWD:/repo:ro" -e ANTHROPIC_API_KEY rlm review main..HEAD
#
# BASE is an argument so that a mirror, or a pinned digest, can stand in for Docker Hub.
ARG BASE=docker.io/library/python:3.11-slim

FROM ${BASE} AS build
COPY requirements.txt /src/
RUN python -m venv /opt/rlm \
    && /opt/rlm/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary=:all: -r /src/requirements.txt
COPY pyproject.toml README.md LICENSE /src/
COPY app /src/app
COPY reviewer /src/reviewer
RUN /opt/rlm/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --no-index --no-deps --no-build-isolation /src

FROM ${BASE}
# Unpinned on purpose: a security fix of git is worth more than the same bytes as last week.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home rlm
COPY --from=build /opt/rlm /opt/rlm
ENV PATH=/opt/rlm/bin:$PATH \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /repo
ENTRYPOINT ["rlm"]
CMD ["--help"]
