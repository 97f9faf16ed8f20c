"""What each kind of outlet needs to be told, checked, sealed and opened again. A row for each kind.

Addresses of robots hold their keys, so the whole configuration is sealed; `target_of` gives what may be shown.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from inventory.models import OutletKind
from inventory.sealing import Sealer


def _http(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("http:// or https:// and a host")
    return url


Url = Annotated[str, Field(min_length=8, max_length=1000), AfterValidator(_http)]
Proxy = Annotated[str, Field(max_length=300, pattern=r"^(https?://[^\s]+)?$")]
Secret = Annotated[str, Field(max_length=200)]
Addresses = Annotated[list[Annotated[str, Field(min_length=3, max_length=120)]], Field(max_length=100)]


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Alertmanager(_Config):
    """url: of an Alertmanager, without /api."""

    url: Url


class WeCom(_Config):
    """url: the robot's whole webhook address, with its key. proxy: `http://...`, where the robots are reached through one."""

    url: Url
    proxy: Proxy = ""


class Signed(_Config):
    """DingTalk and Feishu. url: the robot's whole webhook address; secret: of its signature (加签, 签名校验), empty: none."""

    url: Url
    secret: Secret = ""
    proxy: Proxy = ""


class Mail(_Config):
    """A mail server. tls: none, starttls, or tls from the first byte. to: fixed addresses, besides those on duty."""

    host: Annotated[str, Field(min_length=1, max_length=255)]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["none", "starttls", "tls"] = "starttls"
    user: Annotated[str, Field(max_length=120)] = ""
    password: Secret = ""
    sender: Annotated[str, Field(min_length=3, max_length=120)]
    to: Addresses = []


class Sms(_Config):
    """An SMS gateway over HTTP. In `url`, `headers` and `body`, {phone} and {text} stand for the two, encoded as `content_type` asks.

    ok: a pattern that the answer's body must hold where it was taken ("" : any 2xx is a success).
    """

    url: Url
    proxy: Proxy = ""
    method: Literal["POST", "GET"] = "POST"
    headers: dict[str, Annotated[str, Field(max_length=500)]] = {}
    body: Annotated[str, Field(max_length=4000)] = '{"phone": "{phone}", "text": "{text}"}'
    content_type: Literal["application/json", "application/x-www-form-urlencoded", "text/plain"] = "application/json"
    ok: Annotated[str, Field(max_length=200)] = ""
    to: Addresses = []
    most_characters: Annotated[int, Field(ge=40, le=1000)] = 268
    """4 parts of 67: a long message is cut into parts of 67 UCS-2 characters (3GPP TS 23.040)"""


class Webhook(_Config):
    """JSON by POST, signed: X-Edunet-Signature is sha256=HMAC(secret, timestamp.body). secret empty: no signature."""

    url: Url
    secret: Secret = ""
    proxy: Proxy = ""


class Apprise(_Config):
    """url: an address that Apprise understands, `ntfy://...`."""

    url: Annotated[str, Field(min_length=5, max_length=1000)]


CONFIGS: dict[str, type[_Config]] = {
    OutletKind.alertmanager: Alertmanager,
    OutletKind.wecom: WeCom,
    OutletKind.dingtalk: Signed,
    OutletKind.feishu: Signed,
    OutletKind.mail: Mail,
    OutletKind.sms: Sms,
    OutletKind.webhook: Webhook,
    OutletKind.apprise: Apprise,
}
PERSONAL = frozenset({OutletKind.mail, OutletKind.sms})
"""Kinds that can reach persons on duty."""


class WrongConfig(Exception):  # noqa: N818 - a value of the caller's
    """The configuration does not fit its kind. `where`: the field, `why`: in English."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where, self.why = where, why


def check_config(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with its defaults. WrongConfig names the field; no message repeats a value, for values are secrets."""
    if kind not in CONFIGS:
        raise WrongConfig("kind", f"one of {', '.join(CONFIGS)}")
    try:
        return CONFIGS[kind].model_validate(dict(config)).model_dump()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise WrongConfig(".".join(str(part) for part in first["loc"]), str(first["msg"])) from None


def seal_config(kind: str, config: Mapping[str, Any], sealer: Sealer) -> bytes:
    """The bytes for `Outlet.secret`."""
    return sealer.seal(json.dumps(check_config(kind, config), ensure_ascii=False).encode())


def open_config(secret: bytes, sealer: Sealer) -> dict[str, Any]:
    """The configuration in clear, for the collector alone. UnsealError where the key does not fit."""
    found: dict[str, Any] = json.loads(sealer.unseal(secret))
    return found


def target_of(kind: str, config: Mapping[str, Any]) -> str:
    """What may be shown of where an outlet leads: the host, and to how many; no key, no path."""
    if kind == OutletKind.mail:
        return f"{config['host']}:{config['port']} · {_to(config)}"[:160]
    parts = urlsplit(str(config["url"]))
    host = parts.hostname or parts.scheme
    if kind == OutletKind.apprise:
        return f"{parts.scheme}://"[:160]
    if kind == OutletKind.sms:
        return f"{host} · {_to(config)}"[:160]
    return (f"{host}:{parts.port}" if parts.port else host)[:160]


def _to(config: Mapping[str, Any]) -> str:
    to = list(config.get("to") or ())
    return ", ".join(to[:2]) + (f" +{len(to) - 2}" if len(to) > 2 else "") if to else "→ 值班 on duty"


def holds_key(kind: str, key: str) -> bool:
    """Whether a field of a configuration is shown nowhere."""
    return key in ("url", "secret", "password", "headers", "body") or key not in CONFIGS[kind].model_fields
