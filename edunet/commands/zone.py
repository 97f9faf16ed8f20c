"""edunet zone: address spaces."""

import json
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import typer

from edunet.registry import fail, tell

if TYPE_CHECKING:
    from sqlmodel import Session

JSON = typer.Option(False, "--json", help="JSON.")

group = typer.Typer(
    no_args_is_help=True, help="Address spaces: an address is (zone, IP). Example: `edunet zone add edu --default`"
)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.add_typer(group, name="zone")


@group.command("list")
def list_(as_json: bool = JSON) -> None:
    """Show the zones. Example: `edunet zone list`"""
    from sqlmodel import select

    from edunet.registry import open_register
    from inventory.models import Zone
    from inventory.words import say

    with open_register().session() as session:
        rows = [zone.model_dump(exclude={"row_version"}) for zone in session.exec(select(Zone)).all()]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
    elif not rows:
        print(say("There is no zone yet: edunet zone add NAME --default"))
    for row in [] if as_json else rows:
        print(f"{row['name']}{' *' if row['default'] else ''}\t{row['references']}\t{row['description']}")


@group.command()
def add(
    name: str = typer.Argument(help="Short name, such as edu."),
    default: bool = typer.Option(False, "--default", help="The zone meant where none is named (the first one is)."),
    references: str = typer.Option(
        "", help="Addresses that always answer, comma separated: by them the collector knows that it sees."
    ),
    description: str = typer.Option("", help="Anything."),
    as_json: bool = JSON,
) -> None:
    """Add a zone. Example: `edunet zone add edu --references 10.0.0.1,10.0.0.2`"""
    from sqlmodel import select

    from inventory.models import Zone
    from inventory.words import say

    with _writing() as session:
        zones = list(session.exec(select(Zone)).all())
        if any(zone.name == name for zone in zones):
            fail(say("There is a zone {name} already.", name=name))
        if default:
            for zone in zones:
                zone.default = False
        made = Zone(name=name, default=default or not zones, references=references, description=description)
        session.add_all([*zones, made])
        session.flush()
        _changed(session, "create", made.id, made.model_dump())
    tell(as_json, {"zone": name, "done": "created"}, say("Zone {name} has been added.", name=name))


@group.command()
def default(name: str, as_json: bool = JSON) -> None:
    """Make a zone the default one. Example: `edunet zone default edu`"""
    from sqlmodel import select

    from inventory.models import Zone
    from inventory.words import say

    with _writing() as session:
        zones = list(session.exec(select(Zone)).all())
        if all(zone.name != name for zone in zones):
            fail(say("There is no zone {name}.", name=name))
        for zone in zones:
            zone.default = zone.name == name
            if zone.default:
                _changed(session, "update", zone.id, {"default": True})
    tell(as_json, {"zone": name, "done": "default"}, say("Zone {name} is the default now.", name=name))


@group.command()
def remove(name: str, as_json: bool = JSON) -> None:
    """Remove a zone that nothing uses. Example: `edunet zone remove lab`"""
    from sqlmodel import func, select

    from inventory.models import Address, Credential, Prefix, Zone
    from inventory.words import say

    with _writing() as session:
        zone = session.exec(select(Zone).where(Zone.name == name)).first()
        if zone is None:
            fail(say("There is no zone {name}.", name=name))
        counts = [
            session.exec(select(func.count()).select_from(model).where(model.zone_id == zone.id)).one()
            for model in (Address, Prefix, Credential)
        ]
        if sum(counts):
            fail(say("Zone {name} is in use ({count} addresses or prefixes); it stays.", name=name, count=sum(counts)))
        session.delete(zone)
        _changed(session, "delete", zone.id, None)
    tell(as_json, {"zone": name, "done": "removed"}, say("Zone {name} has been removed.", name=name))


def _writing() -> "AbstractContextManager[Session]":
    from edunet.registry import open_register

    return open_register().write()


def _changed(session: "Session", action: str, number: int | None, after: dict[str, Any] | None) -> None:
    from edunet.registry import actor
    from inventory.audit import record
    from inventory.database import raise_version

    raise_version(session)
    record(session, actor(), action, "zone", number, None, after)
