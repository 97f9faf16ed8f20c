"""The way from a vantage point to the monitor: two calls over HTTPS, with a token of its own."""

import ssl
from typing import Any
from urllib.parse import urlsplit

import httpx

PATIENCE_S = 10.0
MOST_ANSWER = 64_000_000
"""Bytes of one answer: a part of 200,000 targets takes some 12,000,000."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class LinkError(Exception):
    """The monitor was not reached, or answered something else. lasting: trying again changes nothing (the token is void)."""

    def __init__(self, message: str, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


def check_url(url: str, plain: bool) -> str | None:
    """Why this address cannot be used; None: it can. Without TLS only to this machine, or where that is asked for."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        return "scheme"
    if parts.scheme == "http" and not plain and parts.hostname not in LOOPBACK:
        return "plain"
    return None


class MonitorLink:
    """One connection. ca: a file with the authority's certificate, where it is none of the system's; certificates are always verified."""

    def __init__(self, url: str, token: str, ca: str | None = None) -> None:
        verify: Any = ssl.create_default_context(cafile=ca) if ca else True
        self._client = httpx.Client(
            base_url=url.rstrip("/") + "/api/v1/vantage/",
            headers={"authorization": f"Bearer {token}"},
            timeout=PATIENCE_S,
            verify=verify,
            trust_env=False,
        )

    def part(self, have: str) -> dict[str, Any]:
        """GET part: {now, name, part}. LinkError."""
        return self._ask("GET", "part", params={"have": have})

    def hand_in(self, body: bytes) -> dict[str, Any]:
        """POST reports: {now, name, taken, refused}. LinkError."""
        return self._ask("POST", "reports", content=body, headers={"content-type": "application/json"})

    def close(self) -> None:
        """End it."""
        self._client.close()

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            with self._client.stream(method, path, **more) as answer:
                body = bytearray()
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > MOST_ANSWER:
                        raise LinkError("the answer is too long")
            if answer.status_code != 200:
                text = body[:200].decode(errors="replace")
                raise LinkError(f"the monitor answers {answer.status_code}: {text}", answer.status_code in (401, 403))
            value = httpx.Response(200, content=bytes(body)).json()
        except httpx.HTTPError as error:
            raise LinkError(str(error) or type(error).__name__) from error
        except (ValueError, RecursionError) as error:
            raise LinkError(f"no JSON: {error}") from error
        if not isinstance(value, dict) or not isinstance(value.get("now"), int | float):
            raise LinkError("the answer is none of a monitor of edunet")
        return value
