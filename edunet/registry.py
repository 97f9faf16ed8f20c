"""The register as the commands open it: settings, schema, regions; errors become one line and an exit code."""

import json
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from edunet.settings import Settings
    from inventory.database import Register


def load_settings() -> "Settings":
    """The settings in force; a wrong one is named, exit code 2."""
    from edunet.settings import Settings
    from edunet.wrong import wrong_settings

    problems = wrong_settings()
    if problems:
        for problem in problems:
            print(problem, file=sys.stderr)
        raise typer.Exit(2)
    return Settings()


def open_register() -> "Register":
    """The real register, its schema brought up to date and its regions there. What keeps it shut is said by `edunet.mishaps`."""
    from inventory.database import Register
    from inventory.regions import ensure_regions

    settings = load_settings()
    register = Register(settings.database_url(), settings.key_file(), settings.timezone)
    register.migrate()
    with register.session() as session:
        if ensure_regions(session):
            session.commit()
    return register


def running_demonstration() -> "Register | None":
    """The demonstration's register where the demonstration runs on this state directory, to be read."""
    from demo.control import NotRunningError, ask
    from demo.register import open_register as open_demonstration

    state = load_settings().state()
    try:
        ask(state / "run" / "demo.sock", {"do": "status"})
    except NotRunningError:
        return None
    return open_demonstration(f"sqlite:///{state / 'demo' / 'edunet.db'}")


def actor() -> str:
    """Who types this, for the audit: `cli:NAME`."""
    return f"cli:{os.environ.get('SUDO_USER') or os.environ.get('USER') or os.getuid()}"


def tell(as_json: bool, facts: dict[str, Any], text: str) -> None:
    """What was done: one JSON object, or its text."""
    print(json.dumps(facts, ensure_ascii=False) if as_json else text)


def fail(message: str) -> NoReturn:
    """Say what failed on stderr; exit code 1."""
    print(message, file=sys.stderr)
    raise typer.Exit(1)
