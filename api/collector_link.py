"""HTTP over the collector's unix socket (docs/architecture.md): what is too quick for the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

SHORT_S = 2.0
"""Seconds to wait for live readings and the feed."""
VANTAGE_S = 8.0
"""Seconds to wait for what vantage points ask: of 100,000 targets the answer takes a second."""
PROBE_S = 65.0
"""Seconds to wait for a probe made now: a device in full may take 60 s."""


class CollectorGone(Exception):  # noqa: N818 - a state of the world, in the words of the architecture
    """The collector does not answer: its socket is missing, refuses, or was silent for too long."""


class CollectorRefused(Exception):  # noqa: N818 - as above
    """The collector answered with an error: its status, and its word."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail


class CollectorLink:
    """A client of one socket; threads may share it. Making it connects to nothing."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._client = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://collector", timeout=SHORT_S
        )

    def feed(self) -> dict[str, Any]:
        """GET /feed."""
        return self._json("GET", "/feed")

    def device(self, device_id: int) -> dict[str, Any]:
        """GET /devices/{id}: live readings, with `as_of`."""
        return self._json("GET", f"/devices/{device_id}")

    def board(self) -> dict[str, Any]:
        """GET /board: what the judge sees now."""
        return self._json("GET", "/board")

    def probe(self, device_id: int, module: str) -> dict[str, Any]:
        """POST /probe: ask one device now. module: icmp, snmp, device or path."""
        return self._json("POST", "/probe", {"device": device_id, "module": module}, PROBE_S)

    def test_outlet(self, outlet_id: int, by: str) -> dict[str, Any]:
        """POST /outlets/{id}/test: send a test message now. {ok, outlet, answer, wall_s}; the demonstration refuses."""
        return self._json("POST", f"/outlets/{outlet_id}/test", {"by": by}, PROBE_S)

    def trace(self, root: str | None, cluster: tuple[str, str] | None, since: float, until: float | None) -> bytes:
        """POST /trace: one incident's stretch of trace, JSON lines. until None: it still lasts."""
        body = {"root": root, "cluster": cluster, "since": since, "until": until}
        with _gone():
            response = self._client.request("POST", "/trace", json=body, timeout=PROBE_S)
            if response.status_code >= 400:
                raise CollectorRefused(response.status_code, response.text[:300])
            return response.content

    def vantage(self, number: int, what: str, body: bytes) -> dict[str, Any]:
        """POST /vantages/{id}/part or /reports: a body of JSON as it came from a vantage point."""
        with _gone():
            response = self._client.request("POST", f"/vantages/{number}/{what}", content=body, timeout=VANTAGE_S)
            if response.status_code >= 400:
                raise CollectorRefused(response.status_code, response.text[:300])
            answer = response.json()
        if not isinstance(answer, dict):
            raise CollectorGone("no JSON object of a vantage point")
        return answer

    @contextmanager
    def metrics(self, accept: str) -> Iterator[httpx.Response]:
        """GET /metrics as a stream; close by leaving the context."""
        with _gone():
            request = self._client.build_request(
                "GET", "/metrics", headers={"accept": accept, "accept-encoding": "identity"}, timeout=PROBE_S
            )
            response = self._client.send(request, stream=True)
        try:
            yield response
        finally:
            response.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _json(self, method: str, path: str, body: object = None, timeout: float = SHORT_S) -> dict[str, Any]:
        with _gone():
            response = self._client.request(method, path, json=body, timeout=timeout)
            if response.status_code >= 400:
                raise CollectorRefused(response.status_code, response.text[:300])
            answer = response.json()
        if not isinstance(answer, dict):
            raise CollectorGone(f"no JSON object from {path}")
        return answer


@contextmanager
def _gone() -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, ValueError) as error:
        raise CollectorGone(str(error) or type(error).__name__) from error
