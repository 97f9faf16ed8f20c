"""The seeded province of `tests/browser/pages_seed.py`, for tests of the pages without a browser."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI

sys.path.append(str(Path(__file__).parents[1] / "browser"))

from pages_seed import PASSWORD, seed_province
from pages_server import keep_fresh, make_register, serve_pages, sign_in

from inventory.database import Register


class PagesWeb:
    """A running application on the seeded province."""

    def __init__(self, address: str, register: Register, app: FastAPI) -> None:
        self.address = address
        self.register = register
        self.app = app
        self._clients: dict[tuple[str, str], httpx.Client] = {}

    def as_(self, name: str, locale: str = "zh") -> httpx.Client:
        """A client that is signed in; one for each name and language."""
        if (name, locale) not in self._clients:
            self._clients[name, locale] = sign_in(self.address, name, locale)
        return self._clients[name, locale]

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients.values():
            client.close()


@contextmanager
def pages_web(
    directory: Path, seed: Callable[[Register], None] | None = seed_province, url: str = ""
) -> Iterator[PagesWeb]:
    """The application on a register of its own, filled by `seed`: at `url`, else in SQLite."""
    register = Register(url, directory / "secret.key") if url else make_register(directory / "edunet.db")
    register.migrate()
    if seed is not None:
        seed(register)
    with serve_pages(register, directory) as (address, app):
        web = PagesWeb(address, register, app)
        yield web
        web.close()
    register.close()


__all__ = ["PASSWORD", "PagesWeb", "keep_fresh", "pages_web", "sign_in"]
