"""Settings of the pages and calls."""

from pydantic import BaseModel, Field


class ApiSettings(BaseModel):
    """Where and how the pages are served."""

    listen: str = Field(default="127.0.0.1:8080", description="ADDRESS:PORT of the pages and calls.")
    tls_cert: str = Field(
        default="", description="PEM file of the certificate; with `tls_key` the pages are served by TLS."
    )
    tls_key: str = Field(default="", description="PEM file of the certificate's key.")
    hosts: list[str] = Field(
        default=[], description="Names that a request's Host may have besides the address listened on."
    )
    behind_tls: bool = Field(
        default=False, description="A reverse proxy in front ends TLS: the session's cookie is then `Secure` too."
    )
    trusted_proxies: list[str] = Field(
        default=[], description="Addresses of reverse proxies whose X-Forwarded-For is believed."
    )
    session_idle_minutes: int = Field(
        default=480, ge=5, description="A session ends after so many minutes without a person's act."
    )
    session_max_hours: int = Field(default=168, ge=1, description="A session ends after so many hours in any case.")
    metrics_open_on_loopback: bool = Field(
        default=True,
        description="Serve /metrics, http_sd, /probe and /snmp without a token to a peer on this machine that asks for a loopback name "
        "and came through no proxy. Beyond loopback a token is always needed.",
    )
    metrics_token_file: str = Field(
        default="",
        description="File whose first line is a bearer token that reads /metrics, http_sd, /probe and /snmp of the whole province, "
        "as Prometheus's `credentials_file` sends it; read anew at each request, so that it can be changed.",
    )
    body_limit_mb: int = Field(default=2, ge=1, description="Largest body of a call, but for imports.")
    import_limit_mb: int = Field(default=32, ge=1, description="Largest file of an import.")
    threads: int = Field(default=8, ge=2, le=64, description="Threads that answer calls; 8 serve two cores.")
