"""What one agent is asked with: a community (v1, v2c) or a user of the user-based security model (v3)."""

from dataclasses import dataclass, field
from typing import Literal

AUTH_PROTOCOLS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
"""HMAC-MD5-96 and HMAC-SHA-96 of RFC 3414; the SHA-2 family of RFC 7860."""

PRIV_PROTOCOLS = ("des", "aes128", "aes192", "aes256")
"""CBC-DES of RFC 3414, CFB128-AES of RFC 3826 and, with longer keys, of draft-blumenthal-aes-usm-04."""


@dataclass(frozen=True)
class Credential:
    """A community or a v3 user. Secrets never stand in its `repr`.

    `auth_key` and `priv_key` are passwords (RFC 3414 A.2: at least 8 characters). Empty protocols: noAuthNoPriv, or authNoPriv.
    `context` is the contextName of v3. ValueError where the parts do not fit together.
    """

    version: Literal["1", "2c", "3"] = "2c"
    community: bytes = field(default=b"public", repr=False)
    user: str = ""
    auth_protocol: str = ""
    auth_key: str = field(default="", repr=False)
    priv_protocol: str = ""
    priv_key: str = field(default="", repr=False)
    context: str = ""

    def __post_init__(self) -> None:
        if self.version not in ("1", "2c", "3"):
            raise ValueError(f"SNMP version {self.version!r}: 1, 2c or 3")
        if self.version != "3":
            return
        if not self.user:
            raise ValueError("SNMPv3 needs a user")
        if self.auth_protocol and self.auth_protocol not in AUTH_PROTOCOLS:
            raise ValueError(f"authentication protocol {self.auth_protocol!r}: one of {', '.join(AUTH_PROTOCOLS)}")
        if self.priv_protocol and self.priv_protocol not in PRIV_PROTOCOLS:
            raise ValueError(f"privacy protocol {self.priv_protocol!r}: one of {', '.join(PRIV_PROTOCOLS)}")
        if self.priv_protocol and not self.auth_protocol:
            raise ValueError("privacy needs authentication (RFC 3414, 1.4.3)")
        if self.auth_protocol and len(self.auth_key) < 8:
            raise ValueError("the authentication password needs at least 8 characters (RFC 3414, 11.2)")
        if self.priv_protocol and len(self.priv_key) < 8:
            raise ValueError("the privacy password needs at least 8 characters (RFC 3414, 11.2)")
