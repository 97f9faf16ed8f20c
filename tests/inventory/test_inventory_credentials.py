"""Sealed secrets, and which credential serves which device."""

import os
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import event

from inventory.credentials import Secret, credential_for, default_zone, new_credential, open_secret, resolve_credentials
from inventory.database import Register
from inventory.models import Address, Credential, Device, Site, Zone
from inventory.regions import load_regions, place_by_code
from inventory.sealing import Sealer, UnsealError


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret.key"
    sealers = [Sealer(path) for _ in range(8)]
    sealed: list[bytes] = []
    threads = [threading.Thread(target=lambda sealer=sealer: sealed.append(sealer.seal(b"x"))) for sealer in sealers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [Sealer(path).unseal(one) for one in sealed] == [b"x"] * 8
    assert len(set(sealed)) == 8
    assert os.listdir(path.parent) == ["secret.key"]


def test_another_key_damage_or_no_key_is_said(tmp_path: Path) -> None:
    sealer = Sealer(tmp_path / "a")
    sealed = sealer.seal(b"secret")
    assert b"secret" not in sealed
    Sealer(tmp_path / "b").seal(b"")
    with pytest.raises(UnsealError, match="not the one"):
        Sealer(tmp_path / "b").unseal(sealed)
    with pytest.raises(UnsealError, match="damaged"):
        sealer.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(UnsealError, match="not sealed"):
        sealer.unseal(b"")
    with pytest.raises(UnsealError, match="missing"):
        Sealer(tmp_path / "c").unseal(sealed)
    (tmp_path / "d").write_text("c2hvcnQ=")
    with pytest.raises(UnsealError, match="32 bytes"):
        Sealer(tmp_path / "d").unseal(sealed)


def test_a_secret_comes_back_and_does_not_show(tmp_path: Path) -> None:
    sealer = Sealer(tmp_path / "key")
    secret = Secret(user="edu", auth_key="authentic!", priv_key="private!!")
    credential = new_credential("v3", "3", secret, sealer, auth="sha256", priv="aes128")
    assert open_secret(credential, sealer) == secret
    assert "authentic" not in repr(secret) + repr(credential)


@pytest.mark.parametrize(
    ("version", "secret", "auth", "priv", "said"),
    [
        ("2", Secret(community="x"), "", "", "one of"),
        ("2c", Secret(), "", "", "community"),
        ("3", Secret(), "", "", "user"),
        ("3", Secret(user="u", auth_key="longenough"), "sha", "", "one of"),
        ("3", Secret(user="u", auth_key="short"), "sha256", "", "8 characters"),
        ("3", Secret(user="u", priv_key="longenough"), "", "aes128", "needs authentication"),
        ("3", Secret(user="u", auth_key="longenough", priv_key="x"), "md5", "des", "privacy passphrase"),
    ],
)
def test_a_wrong_credential_is_refused(
    tmp_path: Path, version: str, secret: Secret, auth: str, priv: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        new_credential("c", version, secret, Sealer(tmp_path / "key"), auth=auth, priv=priv)


def test_the_nearest_credential_serves(register: Register) -> None:
    with register.session() as session:
        load_regions(session)
        place = place_by_code(session)
        session.add_all([Zone(id=1, name="edu"), Zone(id=2, name="lab")])
        session.flush()
        rows = [
            ("zone", "2c", 1, None),
            ("city", "2c", None, "140100"),
            ("county", "3", None, "140105"),
            ("later", "3", None, "140105"),
        ]
        for number, (name, version, zone, region) in enumerate(rows, 1):
            region_id = place[region].id if region else None
            session.add(Credential(id=number, name=name, version=version, zone_id=zone, region_id=region_id))
        session.add(Credential(id=9, name="own"))
        session.flush()
        for number, code in enumerate(("140105", "140106", "140212"), 1):
            session.add(Site(id=number, name="s", place_id=place[code].id or 0))
        session.flush()
        made = {
            "in the county": (Device(id=1, name="a", site_id=1), 1, 3),
            "in the county, but v2c": (Device(id=2, name="b", site_id=1, snmp_version="2c"), 1, 2),
            "elsewhere in the city": (Device(id=3, name="c", site_id=2), 2, 2),
            "in another city": (Device(id=4, name="d", site_id=3), 1, 1),
            "in another city and zone": (Device(id=5, name="e", site_id=3), 2, None),
            "its own": (Device(id=6, name="f", site_id=1, credential_id=9), 1, 9),
            "without an address": (Device(id=7, name="g", site_id=3), None, None),
        }
        session.add_all([device for device, _, _ in made.values()])
        session.flush()
        for device, zone, _ in made.values():
            if zone:
                session.add(Address(zone_id=zone, ip=f"10.0.0.{device.id}", packed=b"", device_id=device.id or 0))
        session.flush()
        statements: list[str] = []
        event.listen(register.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        found = resolve_credentials(session)
        assert len(statements) == 3
        assert {word: found.get(device.id or 0) for word, (device, _, _) in made.items()} == {
            word: want for word, (_, _, want) in made.items()
        }
        served = credential_for(session, made["in the county"][0])
        assert served is not None
        assert served.name == "county"
        assert credential_for(session, made["without an address"][0]) is None


def test_the_zone_meant_by_default(register: Register) -> None:
    with register.session() as session:
        assert default_zone(session) is None
        session.add(Zone(name="a"))
        session.flush()
        first = default_zone(session)
        assert first is not None
        assert first.name == "a"
        session.add(Zone(name="b"))
        session.flush()
        assert default_zone(session) is None
        session.add(Zone(name="c", default=True))
        session.flush()
        marked = default_zone(session)
        assert marked is not None
        assert marked.name == "c"
