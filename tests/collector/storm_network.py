"""A network namespace for storms, as a program: addresses of 127.0.0.0/8 are silenced in it, an HTTP server in it keeps what is posted there.

Below `ROBOT` the server answers as WeCom documents its robots: 20 messages in a minute, others get an error in the body of a 200.

Started by `storm_world.StormNetwork`; it reads JSON commands from stdin, a line each, and answers each with a line:
{"silence": [number ...]} exactly these addresses are silent from now on; {"get": url} fetches a page; {"posts": n}
what was posted from the n-th on. Its first line says its process id and the port of its server, or why there is no namespace.
"""

import json
import os
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from demo.namespace import Silencer, die_with_parent, enter_new

ROBOT = "/cgi-bin/webhook/send"
ROBOT_PER_MINUTE = 20
TAKEN = {"errcode": 0, "errmsg": "ok"}


class Receiver(BaseHTTPRequestHandler):
    """Keeps bodies as they come, and says 200; of a robot those that it took."""

    posts: ClassVar[list[dict[str, Any]]] = []
    heard: ClassVar[list[float]] = []

    def do_POST(self) -> None:
        """Keep it."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        robot = self.path.startswith(ROBOT)
        answer = self._as_robot(body) if robot else None
        said = json.dumps(answer).encode() if robot else b""
        try:
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)
        except OSError:  # who posted has been killed, or waits no longer: it was not told that we have it
            self.close_connection = True
            return
        if not robot or answer == TAKEN:
            self.posts.append({"at": time.time(), "path": self.path, "body": body})

    def _as_robot(self, body: Any) -> dict[str, Any]:
        """What WeCom says of a message."""
        now = time.monotonic()
        self.heard[:] = [*(one for one in self.heard if one > now - 60), now]
        if len(self.heard) > ROBOT_PER_MINUTE:
            return {"errcode": 45009, "errmsg": "api freq out of limit"}
        if body["msgtype"] != "text" or len(body["text"]["content"].encode()) > 2048:
            return {"errcode": 40058, "errmsg": "invalid Request Parameter"}
        return TAKEN

    def log_message(self, *_: Any) -> None:
        """Nothing to stderr."""


class Server(ThreadingHTTPServer):
    """A thousand at once wait rather than being refused: Alertmanager tells of a storm in one instant."""

    request_queue_size = 4096
    daemon_threads = True


def main() -> None:
    """Until stdin ends."""
    refusal = enter_new()
    if refusal is not None:
        print(json.dumps({"refused": refusal}), flush=True)
        return
    die_with_parent()
    server = Server(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    silencer = Silencer()
    print(json.dumps({"pid": os.getpid(), "port": server.server_port}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(silencer, json.loads(line))), flush=True)


def answer(silencer: Silencer, command: dict[str, Any]) -> Any:
    """Do one thing."""
    if "silence" in command:
        silencer.set(command["silence"])
        return time.time()
    if "posts" in command:
        return Receiver.posts[command["posts"] :]
    try:
        with urllib.request.urlopen(command["get"], timeout=10) as page:
            return page.read().decode()
    except OSError as error:
        return {"error": str(error)}


if __name__ == "__main__":
    main()
