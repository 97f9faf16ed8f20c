"""The collector's socket: HTTP/1.1 and JSON for the same user (0600), as docs/architecture.md says."""

import json
import logging
import os
import socketserver
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.answers import answer
from collector.vantage.words import MOST_BODY as MOST_BUNDLE

if TYPE_CHECKING:
    from collector.service import Service

log = logging.getLogger(__name__)

MOST_BODY = 65_536

MOST_OF_VANTAGE = MOST_BUNDLE + 1024
"""What vantage points hand in is larger; the api has checked who they are."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_UnixServer"

    def do_GET(self) -> None:
        """Read what is there."""
        self._answer("GET", {})

    def do_POST(self) -> None:
        """Ask for something to be done."""
        length = self.headers.get("Content-Length", "0")
        most = MOST_OF_VANTAGE if self.path.startswith("/vantages/") else MOST_BODY
        if not length.isdigit() or int(length) > most:
            self._send(413, "application/json", b'{"error": "too long"}')
            return
        try:
            body = json.loads(self.rfile.read(int(length)) or b"{}")
        except (ValueError, RecursionError):
            self._send(400, "application/json", b'{"error": "no JSON"}')
            return
        self._answer("POST", body if isinstance(body, dict) else {})

    def _answer(self, method: str, body: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            found = answer(self.server.service, method, self.path, headers, body)
        except Exception:
            log.exception("%s %s failed", method, self.path)
            self._send(500, "application/json", b'{"error": "the collector failed to answer: see its log"}')
            return
        self._send(found.status, found.content_type, found.body, found.headers)

    def _send(
        self, status: int, content_type: str, body: bytes | bytearray, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        """A Unix socket's peer has no address."""
        return "local"

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged."""


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, path: str, service: "Service") -> None:
        self.service = service
        super().__init__(path, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is no event."""


class Server:
    """Listens from `run` to `stop`."""

    def __init__(self, path: Path, service: "Service") -> None:
        self.path, self.service = path, service
        self._server: _UnixServer | None = None

    def run(self) -> None:
        """Serve. The socket of one that was killed is taken over."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = _UnixServer(str(draft), self.service)
        finally:
            os.umask(before)
        draft.rename(self.path)
        self._server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        """End it, and take the socket away."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self.path.unlink(missing_ok=True)
