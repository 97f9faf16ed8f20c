"""edunet user: people who may sign in."""

import json

import typer

from edunet.registry import fail, tell

JSON = typer.Option(False, "--json", help="JSON.")
DISABLED = "\t(disabled)"

group = typer.Typer(no_args_is_help=True, help="People who may sign in. A lost password: `edunet user reset NAME`")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.add_typer(group, name="user")


@group.command("list")
def list_(as_json: bool = JSON) -> None:
    """Show the users. Example: `edunet user list --json`"""
    from sqlmodel import select

    from edunet.registry import open_register
    from inventory.models import Region, User

    with open_register().session() as session:
        rows = []
        for user in session.exec(select(User)).all():
            region = session.get(Region, user.region_id) if user.region_id else None
            rows.append({"id": user.id, "name": user.name, "role": str(user.role), "region": region.name if region else None, "disabled": user.disabled})  # fmt: skip
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
    for row in [] if as_json else rows:
        print(f"{row['name']}\t{row['role']}\t{row['region'] or '-'}{DISABLED if row['disabled'] else ''}")


@group.command()
def add(
    name: str,
    role: str = typer.Option("viewer", help="administrator or viewer."),
    region: str | None = typer.Option(None, help="Sees this county's, city's or bureau's subtree alone: name or code."),
    as_json: bool = JSON,
) -> None:
    """Add a user with a generated password, shown once. Example: `edunet user add wang --region 小店区`"""
    from edunet.registry import actor, open_register
    from inventory import users
    from inventory.audit import record
    from inventory.models import Role
    from inventory.words import say

    if role not in list(Role):
        raise typer.BadParameter(say("--role is administrator or viewer"))
    password = users.generate_password()
    with open_register().write() as session:
        try:
            made = users.create_user(session, name, password, Role(role), _region(session, region), must_change=True)
        except ValueError as error:
            fail(say("Not done: {why}", why=str(error)))
        record(
            session,
            actor(),
            "create",
            "user",
            made.id,
            None,
            {"name": made.name, "role": role, "region_id": made.region_id},
        )
    text = say("User {name} has been added. Password (shown once): {password}", name=name, password=password)
    tell(as_json, {"user": name, "done": "created", "password": password}, text)


@group.command()
def reset(name: str, as_json: bool = JSON) -> None:
    """Give a lost password anew, and sign the user out everywhere. Example: `edunet user reset admin`"""
    from edunet.registry import actor, open_register
    from inventory import users
    from inventory.audit import record
    from inventory.words import say

    with open_register().write() as session:
        user = users.find_user(session, name)
        if user is None:
            fail(say("There is no user {name}.", name=name))
        password = users.reset_password(session, user)
        record(session, actor(), "reset", "user", user.id)
    text = say(
        "New password of {name} (shown once; to be changed at sign-in): {password}", name=name, password=password
    )
    tell(as_json, {"user": name, "done": "reset", "password": password}, text)


@group.command()
def disable(name: str, as_json: bool = JSON) -> None:
    """Shut a user out, now. Example: `edunet user disable wang`"""
    from inventory.words import say

    _shut(name, True)
    tell(as_json, {"user": name, "done": "disabled"}, say("User {name} has been disabled.", name=name))


@group.command()
def enable(name: str, as_json: bool = JSON) -> None:
    """Let a user in again. Example: `edunet user enable wang`"""
    from inventory.words import say

    _shut(name, False)
    tell(as_json, {"user": name, "done": "enabled"}, say("User {name} has been enabled.", name=name))


def _shut(name: str, disabled: bool) -> None:
    from edunet.registry import actor, open_register
    from inventory import users
    from inventory.audit import record
    from inventory.words import say

    with open_register().write() as session:
        user = users.find_user(session, name)
        if user is None:
            fail(say("There is no user {name}.", name=name))
        try:
            users.disable_user(session, user, disabled)
        except ValueError as error:
            fail(say("Not done: {why}", why=str(error)))
        record(session, actor(), "update", "user", user.id, None, {"disabled": disabled})


def _region(session: "object", word: str | None) -> int | None:
    from sqlmodel import Session

    from inventory.imports.problems import CellError
    from inventory.imports.view import View
    from inventory.words import say

    if word is None:
        return None
    assert isinstance(session, Session)
    view = View(session)
    for find in (view.place, view.duty):
        try:
            return find(word)
        except CellError:
            continue
    fail(say("There is no region {name}; give a county's or city's name or code, or a bureau's name", name=word))
