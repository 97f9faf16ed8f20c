"""Far sides on loopback that answer as WeCom, DingTalk, Feishu and an SMS gateway document it, errors included."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
SECRET = "SEC0123456789abcdef"


@dataclass
class Heard:
    """One request as it arrived."""

    t: float
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


@dataclass
class FarSide:
    """A server of one kind. script: what comes before its own answers: (status, body) or seconds to keep silent. rate: most in 60 s."""

    kind: str
    secret: str = ""
    rate: int = 20
    port: int = 0
    heard: list[Heard] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    script: deque[Any] = field(default_factory=deque)
    broken: bool = False

    @property
    def url(self) -> str:
        """The address that an administrator would paste."""
        paths = {
            "wecom": f"/cgi-bin/webhook/send?key={KEY}",
            "dingtalk": f"/robot/send?access_token={KEY}",
            "feishu": f"/open-apis/bot/v2/hook/{KEY}",
        }
        return f"http://127.0.0.1:{self.port}{paths.get(self.kind, f'/{self.kind}/{KEY}')}"

    def answer(self, heard: Heard) -> tuple[int, Any]:
        """What it says to a request, and what it keeps of it."""
        self.heard.append(heard)
        if self.broken:
            return 500, "broken"
        if self.script:
            scripted = self.script.popleft()
            if isinstance(scripted, float):
                time.sleep(scripted)
            else:
                return scripted  # type: ignore[no-any-return]
        return getattr(self, f"_{self.kind}")(heard)  # type: ignore[no-any-return]

    def _too_fast(self) -> bool:
        return len([one for one in self.heard if one.t > time.monotonic() - 60]) > self.rate

    def _wecom(self, heard: Heard) -> tuple[int, Any]:
        if heard.query.get("key") != KEY:
            return 200, {"errcode": 93000, "errmsg": "invalid webhook url"}
        if self._too_fast():
            return 200, {"errcode": 45009, "errmsg": "api freq out of limit"}
        content = heard.json["text"]["content"]
        if heard.json["msgtype"] != "text" or len(content.encode()) > 2048:
            return 200, {"errcode": 40058, "errmsg": "invalid Request Parameter"}
        self.taken.append(content)
        return 200, {"errcode": 0, "errmsg": "ok"}

    def _dingtalk(self, heard: Heard) -> tuple[int, Any]:
        if self.secret:
            stamp = heard.query.get("timestamp", "0")
            code = hmac.new(self.secret.encode(), f"{stamp}\n{self.secret}".encode(), hashlib.sha256).digest()
            signed = base64.b64encode(code).decode() == heard.query.get("sign")
            if not signed or abs(time.time() * 1000 - int(stamp)) > 3_600_000:
                return 200, {"errcode": 310000, "errmsg": "sign not match"}
        if self._too_fast():
            return 200, {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}
        self.taken.append(heard.json["text"]["content"])
        return 200, {"errcode": 0, "errmsg": "ok"}

    def _feishu(self, heard: Heard) -> tuple[int, Any]:
        if self.secret:
            stamp = heard.json.get("timestamp", "0")
            code = hmac.new(f"{stamp}\n{self.secret}".encode(), b"", hashlib.sha256).digest()
            if base64.b64encode(code).decode() != heard.json.get("sign") or abs(time.time() - int(stamp)) > 3600:
                return 200, {"code": 19021, "msg": "sign match fail or timestamp is not within one hour"}
        if len(heard.body) > 20_480:
            return 200, {"code": 9499, "msg": "Bad Request"}
        self.taken.append(heard.json["content"]["text"])
        return 200, {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}

    def _sms(self, heard: Heard) -> tuple[int, Any]:
        self.taken.append(heard.json["phone"] + " " + heard.json["text"])
        return 200, {"code": "0", "msg": "OK"}

    def _webhook(self, heard: Heard) -> tuple[int, Any]:
        self.taken.append(heard.json["text"])
        return 204, ""


@contextmanager
def far_side(kind: str, **more: Any) -> Iterator[FarSide]:
    """One on a free port."""
    side = FarSide(kind, **more)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, said = side.answer(Heard(time.monotonic(), parts.path, query, headers, body))
            content = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content) if status != 204 else 0))
                self.end_headers()
                if status != 204:
                    self.wfile.write(content)
            except OSError:
                self.close_connection = True

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", side.port), Handler)
    server.daemon_threads = True
    side.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield side
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
