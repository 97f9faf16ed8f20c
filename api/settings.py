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
