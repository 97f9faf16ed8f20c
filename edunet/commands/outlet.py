"""edunet outlet: the ways by which people are told."""

import json

import typer

from edunet.registry import actor, fail, open_register, tell

JSON = typer.Option(False, "--json", help="JSON.")

group = typer.Typer(
    no_args_is_help=True,
    help="The ways by which people are told; they are made on the page Outlets or by POST /api/v1/outlets. "
    "Example: `edunet outlet test 值班群`",
)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.add_typer(group, name="outlet")


@group.command("list")
def list_(as_json: bool = JSON) -> None:
    """Show the outlets and how they fare. Example: `edunet outlet list`"""
    from sqlmodel import select

    from inventory.models import Outlet, table
    from inventory.words import say

    with open_register().session() as session:
        rows = [
            outlet.model_dump(mode="json", exclude={"secret", "row_version"})
            for outlet in session.exec(select(Outlet).order_by(table(Outlet).c.name)).all()
        ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
    elif not rows:
        print(say("There is no outlet yet: make one on the page of outlets."))
    for row in [] if as_json else rows:
        state = say("off") if not row["enabled"] else row["last_error"] if row["failing_since"] else say("ok")
        print(f"{row['name']}\t{row['kind']}\t{row['target']}\t{state}")


@group.command("test")
def try_(name: str = typer.Argument(help="The outlet's name."), as_json: bool = JSON) -> None:
    """Send a plain test message through an outlet now. Exit code 1 where it was not taken. Example: `edunet outlet test 值班群`"""
    from sqlmodel import select

    from collector.telling.trial import try_outlet
    from edunet.registry import load_settings
    from inventory.models import Outlet
    from inventory.words import say

    store = open_register()
    with store.session() as session:
        outlet = session.exec(select(Outlet).where(Outlet.name == name)).first()
    if outlet is None or outlet.id is None:
        fail(say("There is no outlet {name}", name=name))
    said = try_outlet(store, outlet.id, actor(), load_settings().collector.outlets_enabled)
    if said is None:
        fail(say("There is no outlet {name}", name=name))
    tell(as_json, said, f"{say('ok') if said['ok'] else say('error')}: {said['answer']} ({said['wall_s']:.2f} s)")
    if not said["ok"]:
        raise typer.Exit(1)
