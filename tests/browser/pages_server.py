"""A server of the pages on a register, and clients that are signed in to it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from fastapi import FastAPI
from pages_seed import PASSWORD
from sqlmodel import select

from api.app import create_app
from api.server import server_of
from api.settings import ApiSettings
from inventory.database import Register
from inventory.models import Feed


def make_register(path: Path) -> Register:
    """An empty register with its schema in a SQLite file."""
    register = Register(f"sqlite:///{path}", path.parent / "secret.key")
    register.migrate()
    return register


@contextmanager
def serve_pages(register: Register, directory: Path, demo: bool = False) -> Iterator[tuple[str, FastAPI]]:
    """The application on a free port of loopback; yields its address, and the application."""
    (directory / "run").mkdir(exist_ok=True)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    settings = ApiSettings(listen=f"127.0.0.1:{listener.getsockname()[1]}")
    app = create_app(register, settings, state_dir=directory, timezone="Asia/Shanghai", demo=demo)
    server = server_of(app, settings)
    server.install_signal_handlers = lambda: None
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 15
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    try:
        yield f"http://{settings.listen}", app
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def sign_in(address: str, name: str, locale: str = "zh") -> httpx.Client:
    """A client with a session, as a browser has it."""
    client = httpx.Client(base_url=address, timeout=20, headers={"accept": "text/html"})
    client.get("/login")
    client.cookies.set("edunet_locale", locale)
    answer = client.post("/login", data={"name": name, "password": PASSWORD, "csrf": client.cookies["edunet_form"]})
    assert answer.status_code == 303, answer.text
    return client


def keep_fresh(register: Register) -> None:
    """A sign of life now."""
    with register.write() as session:
        for row in session.exec(select(Feed)):
            row.at = datetime.now(UTC)
            if row.name == "vantages":
                at = row.at.timestamp() - 4
                row.detail = {number: {**fare, "reported_at": at} for number, fare in row.detail.items()}
