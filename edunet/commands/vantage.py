"""edunet vantage: other eyes than the collector's own."""

import json
import os
import signal
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from edunet.registry import fail, tell

if TYPE_CHECKING:
    from sqlmodel import Session

JSON = typer.Option(False, "--json", help="JSON.")

group = typer.Typer(
    no_args_is_help=True,
    help="Vantage points: processes elsewhere that ping what the collector pings, so that its blindness is not everybody's. "
    "Example: `edunet vantage add datong`, then there `edunet vantage run --of https://monitor.edu.example --token @FILE`",
)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.add_typer(group, name="vantage")


@group.command("list")
def list_(as_json: bool = JSON) -> None:
    """Show the vantage points and how they fare. Example: `edunet vantage list`"""
    from edunet.registry import open_register
    from inventory.vantages import list_vantages
    from inventory.words import say

    with open_register().session() as session:
        rows = list_vantages(session)
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, default=str))
    elif not rows:
        print(say("There is no vantage point yet: edunet vantage add NAME"))
    for row in [] if as_json else rows:
        print(f"{row['name']}\t{say(row['state'])}\t{row['reported_at'] or '-'}\t{row['zone'] or '*'}\t{row['place']}")


@group.command()
def add(
    name: str = typer.Argument(help="Short name, such as the city's."),
    zone: str = typer.Option("", metavar="ZONE", help="The zone whose addresses it reaches; none: every zone."),
    references: str = typer.Option(
        "", help="Addresses near it that always answer, comma separated: by them it knows that it sees."
    ),
    place: str = typer.Option("", help="Where it stands, by whose line."),
    token_file: Path | None = typer.Option(
        None, "--token-file", metavar="FILE", help="Write the token there (0600) and do not show it."
    ),
    as_json: bool = JSON,
) -> None:
    """Add a vantage point, and show its token, once. Example: `edunet vantage add datong --references 10.2.0.1 --token-file datong.token`"""
    from inventory.references import EXPECTED, parse_reference
    from inventory.vantages import make_vantage
    from inventory.words import say

    words = [word.strip() for word in references.split(",") if word.strip()]
    for word in words:
        if parse_reference(word) is None:
            fail(say("{word} is no reference target: {expected}", word=word, expected=EXPECTED))
    if token_file is not None and token_file.exists():
        fail(say("{path} is there already: give another file", path=token_file))
    with _writing() as session:
        try:
            made, token = make_vantage(session, name.strip(), zone, ",".join(words), place, _actor())
        except ValueError as error:
            fail(str(error))
        shown = made.model_dump(mode="json", exclude={"token_hash"})
        if token_file is not None:
            _write_secret(token_file, token)
        _changed(session, "create", made.id, shown)
    facts: dict[str, Any] = {"vantage": name, "done": "created"}
    if token_file is None:
        facts["token"] = token
    told = say("Vantage point {name} has been added.", name=name)
    its_token = say("Its token, for edunet vantage run --token @FILE:")
    tell(as_json, facts, f"{told}\n{its_token} {token if token_file is None else token_file}")


@group.command()
def remove(name: str, as_json: bool = JSON) -> None:
    """Take a vantage point away; its token is void at once. Example: `edunet vantage remove datong`"""
    from sqlmodel import select

    from inventory.models import VantagePoint
    from inventory.words import say

    with _writing() as session:
        found = session.exec(select(VantagePoint).where(VantagePoint.name == name)).first()
        if found is None:
            fail(say("There is no vantage point {name}.", name=name))
        session.delete(found)
        _changed(session, "delete", found.id, None)
    tell(as_json, {"vantage": name, "done": "removed"}, say("Vantage point {name} has been taken away.", name=name))


@group.command()
def run(
    of: str = typer.Option(
        ..., "--of", metavar="URL", help="The monitor's address, such as https://monitor.edu.example."
    ),
    token: str = typer.Option(
        None, "--token", metavar="@FILE", help="@FILE, - (standard input), or the variable EDUNET_VANTAGE_TOKEN."
    ),
    ca: Path | None = typer.Option(
        None, "--ca", metavar="FILE", help="The authority's certificate (PEM), where it is none of the system's."
    ),
    plain_http: bool = typer.Option(
        False, "--plain-http", help="Without TLS: the token can be read on the way; only within a tunnel."
    ),
    ping_method: str = typer.Option(
        "", "--ping-method", help="raw, dgram, fping or tcp; none: the best that is allowed."
    ),
) -> None:
    """Ping what the monitor's collector pings, from here, and hand in what is seen, until Ctrl-C or SIGTERM. It needs no register.

    Example: `edunet vantage run --of https://monitor.edu.example --token @/etc/edunet/vantage.token`
    """
    from collector.vantage.link import MonitorLink, check_url
    from collector.vantage.process import VantageProcess
    from edunet.logs import set_up_logs
    from edunet.registry import load_settings
    from edunet.secrets_input import read_secret
    from inventory.words import say

    wrong = check_url(of, plain_http)
    if wrong == "plain":
        raise typer.BadParameter(say("{url} is without TLS: give https://, or --plain-http within a tunnel", url=of))
    if wrong is not None:
        raise typer.BadParameter(say("{url} is no address of a monitor", url=of))
    if token and not token.startswith("@") and token != "-":
        raise typer.BadParameter(say("a token stands in a file: --token @FILE"))
    if ping_method not in ("", "raw", "dgram", "fping", "tcp"):
        raise typer.BadParameter("raw, dgram, fping, tcp")
    secret = read_secret(token, "EDUNET_VANTAGE_TOKEN", "token of the vantage point")
    set_up_logs(load_settings().log)
    try:
        link = MonitorLink(of, secret, str(ca) if ca is not None else None)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"--ca {ca}: {error}") from None
    process = VantageProcess(link, ping_method=ping_method or None)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: process.stop())
    refused = process.run()
    if refused is not None:
        fail(say("The monitor refuses this token: {why}", why=refused))


def _write_secret(path: Path, secret: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret + "\n")


def _actor() -> str:
    from edunet.registry import actor

    return actor()


def _writing() -> "AbstractContextManager[Session]":
    from edunet.registry import open_register

    return open_register().write()


def _changed(session: "Session", action: str, number: int | None, after: dict[str, Any] | None) -> None:
    from inventory.audit import record
    from inventory.database import raise_version

    raise_version(session)
    record(session, _actor(), action, "vantages", number, None, after)
