# One image for the servers of compose.yaml: pinned packages, the package itself, and nobody's rights.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/venv
COPY requirements.lock ./
RUN /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY deploy/requirements.lock deploy/
RUN /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r deploy/requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY sitoo_pipeline sitoo_pipeline
RUN /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
# The volumes take over who owns these folders.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin pipeline \
    && install -d -m 0700 -o pipeline -g pipeline /data /var/lib/dagster /var/lib/dagster-logs
COPY --from=build /opt/venv /opt/venv
COPY deploy/dagster.yaml deploy/workspace.yaml /srv/sitoo_pipeline/
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DAGSTER_HOME=/var/lib/dagster
WORKDIR /srv/sitoo_pipeline
USER 10001:10001
