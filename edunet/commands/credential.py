"""edunet credential: SNMP credentials, sealed."""

import json
from typing import Any

import typer

from edunet.registry import fail, tell

JSON = typer.Option(False, "--json", help="JSON.")

HELP = """SNMP credentials, for a zone or a region's subtree; sealed with the key in `secret.key` of the state directory.

    edunet credential add county --region 小店区                       asks for the community
    echo public | edunet credential add edu --zone edu --community -
    edunet credential add v3 --version 3 --user edu --auth sha256 --priv aes128 --auth-key @auth.txt --priv-key @priv.txt

Secrets: by prompt, `-` (standard input), `@FILE`, or EDUNET_COMMUNITY, EDUNET_AUTH_KEY, EDUNET_PRIV_KEY."""

group = typer.Typer(no_args_is_help=True, help=HELP)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.add_typer(group, name="credential")


@group.command("list")
def list_(as_json: bool = JSON) -> None:
    """Show the credentials, without their secrets. Example: `edunet credential list`"""
    from sqlmodel import select

    from edunet.registry import open_register
    from inventory.models import Credential, Region, Zone
    from inventory.words import say

    with open_register().session() as session:
        rows = []
        for found in session.exec(select(Credential)).all():
            zone = session.get(Zone, found.zone_id) if found.zone_id else None
            region = session.get(Region, found.region_id) if found.region_id else None
            shown = found.model_dump(include={"id", "name", "version", "auth_protocol", "priv_protocol", "context"})
            rows.append({**shown, "zone": zone.name if zone else None, "region": region.name if region else None})
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
    elif not rows:
        print(say("There is no credential yet: edunet credential add NAME --zone ZONE"))
    for row in [] if as_json else rows:
        print(
            f"{row['name']}\tv{row['version']}\t{row['zone'] or row['region'] or '-'}\t{row['auth_protocol']} {row['priv_protocol']}"
        )


@group.command()
def add(
    name: str,
    version: str = typer.Option("2c", help="1, 2c or 3."),
    zone: str | None = typer.Option(None, help="Serves the devices of this zone (without --region: the default zone)."),
    region: str | None = typer.Option(None, help="Serves this county's, city's or province's devices: name or code."),
    community: str | None = typer.Option(None, help="v1, v2c: - or @FILE."),
    user: str = typer.Option("", help="v3: the user's name."),
    auth: str = typer.Option("", help="v3: md5, sha1, sha224, sha256, sha384, sha512."),
    priv: str = typer.Option("", help="v3: des, aes128, aes192, aes256."),
    auth_key: str | None = typer.Option(None, help="v3: passphrase, - or @FILE."),
    priv_key: str | None = typer.Option(None, help="v3: passphrase, - or @FILE."),
    context: str = typer.Option("", help="v3: context name."),
    alone: bool = typer.Option(False, "--alone", help="For devices that name it alone: no zone, no region."),
    as_json: bool = JSON,
) -> None:
    """Add a credential. Example: `echo public | edunet credential add edu --zone edu --community -`"""
    from edunet.registry import actor, open_register
    from edunet.secrets_input import read_secret
    from inventory.audit import record
    from inventory.credentials import VERSIONS, Secret, new_credential
    from inventory.database import raise_version
    from inventory.imports.view import View
    from inventory.models import Credential
    from inventory.words import say

    if version not in VERSIONS:
        raise typer.BadParameter(say("--version is 1, 2c or 3"))
    if version == "3":
        secret = Secret(
            user=user,
            auth_key=read_secret(auth_key, "EDUNET_AUTH_KEY", "authentication passphrase") if auth else "",
            priv_key=read_secret(priv_key, "EDUNET_PRIV_KEY", "privacy passphrase") if priv else "",
        )
    else:
        secret = Secret(community=read_secret(community, "EDUNET_COMMUNITY", "community"))
    store = open_register()
    assert store.sealer is not None
    with store.write() as session:
        view = View(session)
        if name in view.credentials:
            fail(say("There is a credential {name} already.", name=name))
        zone_id, region_id = _where(session, view, zone, region, alone)
        try:
            made: Credential = new_credential(
                name,
                version,
                secret,
                store.sealer,
                auth=auth,
                priv=priv,
                context=context,
                zone_id=zone_id,
                region_id=region_id,
            )
        except ValueError as error:
            fail(say("Not done: {why}", why=str(error)))
        session.add(made)
        session.flush()
        raise_version(session)
        record(
            session,
            actor(),
            "create",
            "credential",
            made.id,
            None,
            made.model_dump(exclude={"secret", "updated_at"}),
        )
    tell(as_json, {"credential": name, "done": "created"}, say("Credential {name} has been added.", name=name))


def _where(session: Any, view: Any, zone: str | None, region: str | None, alone: bool) -> tuple[int | None, int | None]:
    """(zone id, region id) that a credential serves; what is not there is named, exit code 1."""
    from inventory.credentials import default_zone
    from inventory.imports.problems import CellError
    from inventory.words import say

    region_id = None
    if region:
        try:
            region_id = view.place(region)
        except CellError:
            fail(
                say(
                    "There is no region {name}; give a county's or city's name or code, or a bureau's name", name=region
                )
            )
    if zone is not None and zone not in view.zones:
        fail(say("There is no zone {name}.", name=zone))
    fallback = None if region or alone else default_zone(session)
    zone_id = view.zones[zone] if zone is not None else (fallback.id if fallback else None)
    if zone_id is None and region_id is None and not alone:
        fail(say("There is no zone yet: edunet zone add NAME --default"))
    return zone_id, region_id


@group.command()
def remove(name: str, as_json: bool = JSON) -> None:
    """Remove a credential that no device names. Example: `edunet credential remove old`"""
    from sqlmodel import func, select

    from edunet.registry import actor, open_register
    from inventory.audit import record
    from inventory.database import raise_version
    from inventory.models import Credential, Device
    from inventory.words import say

    with open_register().write() as session:
        row = session.exec(select(Credential).where(Credential.name == name)).first()
        if row is None:
            fail(say("There is no credential {name}.", name=name))
        count = session.exec(select(func.count()).select_from(Device).where(Device.credential_id == row.id)).one()
        if count:
            fail(say("Credential {name} is named by {count} devices; it stays.", name=name, count=count))
        session.delete(row)
        raise_version(session)
        record(session, actor(), "delete", "credential", row.id)
    tell(as_json, {"credential": name, "done": "removed"}, say("Credential {name} has been removed.", name=name))
