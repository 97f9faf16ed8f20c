# edunet in a container: no root, no capability. Datagram ICMP works there, for container engines set
# net.ipv4.ping_group_range in the container's own network namespace (docker-compose.yml does so explicitly).
FROM python:3.11-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libssl-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/edunet && /opt/edunet/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN /opt/edunet/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends fping && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/edunet --create-home edunet
COPY --from=build /opt/edunet /opt/edunet
ENV PATH=/opt/edunet/bin:$PATH EDUNET_STATE_DIR=/var/lib/edunet PYTHONUNBUFFERED=1
USER edunet
VOLUME /var/lib/edunet
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/-/healthy', timeout=4)"]
ENTRYPOINT ["edunet"]
CMD ["up"]
