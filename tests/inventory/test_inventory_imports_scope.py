"""Who administers a part imports into that part alone: what leads out of it is a wrong cell, and says nothing of what lies there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from inventory.database import Register
from inventory.imports import OutsideError, Plan, UndoError, apply_plan, plan_import, render, undo
from inventory.models import Credential, Device, DeviceUpstream, Line, LineSite, Region, RegionTree, School, Site, Zone
from inventory.regions import load_regions
from inventory.scope import Scope

SCHOOLS = """code,name,county
2114000001,迎泽一小,140106
2114000002,小店二小,140105
2114000003,同名小学,140106
2114000004,同名小学,140105
"""
DEVICES = """site,kind,name,address,serial,upstream
2114000001,gateway,GW-A,10.1.0.1,SNA,AGG-B
2114000002,gateway,GW-B,10.2.0.1,SNB,
county:140105,aggregation,AGG-B,10.2.0.9,SNAGG,
"""
LINES = """circuit,operator,serves,upstream
C-A,telecom,2114000001,county:140106
C-B,telecom,2114000002,county:140105
C-AB,telecom,2114000001;2114000002,county:140105
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    directory = tmp_path_factory.mktemp("scoped")
    register = Register(f"sqlite:///{directory / 'edunet.db'}", directory / "secret.key")
    register.migrate()
    with register.session() as session:
        load_regions(session)
        session.add(Zone(name="edu", default=True))
        session.add(Credential(name="secret name", version="2c", region_id=_region(session, "140105")))
        session.commit()
    for what, text in (("schools", SCHOOLS), ("devices", DEVICES), ("lines", LINES)):
        plan = _plan(register, what, text, Scope())
        assert _told(plan) == []
        apply_plan(register, plan, "root")
    yield register
    register.close()


def _region(session, code: str, tree: RegionTree = RegionTree.place) -> int:  # type: ignore[no-untyped-def]
    column = Region.code if tree is RegionTree.place else Region.local_code
    return session.exec(select(Region.id).where(Region.tree == tree, column == code)).one()


def _scope(register: Register, code: str = "140106", tree: RegionTree = RegionTree.place) -> Scope:
    with register.session() as session:
        return Scope.under(session.get_one(Region, _region(session, code, tree)))


def _plan(register: Register, what: str, text: str, scope: Scope | None = None) -> Plan:
    with register.session() as session:
        return plan_import(session, what, text.encode(), "f.csv", scope=scope or _scope(register))


def _told(plan: Plan) -> list[tuple[int | None, str, str]]:
    return [(problem.row, problem.column, problem.code) for problem in plan.problems]


FOREIGN = ("小店", "140105", "SNB", "GW-B", "AGG-B", "secret name", "C-B ")
"""What no message may tell but for the cell itself."""


@pytest.mark.parametrize(
    ("what", "head", "row", "wrong"),
    [
        ("schools", "code,name,county", "2114000009,新校,140105", [("county", "outside_county")]),
        ("schools", "code,name,county", "2114000001,迎泽一小,140105", [("county", "outside_county")]),
        ("schools", "code,name,county", "2114000002,别人的,140106", [("code", "code_elsewhere")]),
        ("schools", "code,name,county", "2114000002,小店二小,140105", [("code", "code_elsewhere")]),
        ("devices", "site,kind,serial", "2114000002,switch,S9", [("site", "outside_site")]),
        ("devices", "site,kind,serial", "小店二小,switch,S9", [("site", "outside_site")]),
        ("devices", "site,kind,serial", "county:140105,switch,S9", [("site", "outside_site")]),
        ("devices", "site,kind,serial", "core:140000,core,S9", [("site", "outside_site")]),
        ("devices", "site,kind,serial", "2114000001,gateway,SNB", [("serial", "serial_elsewhere")]),
        ("devices", "site,kind,serial", "2114000002,gateway,SNA", [("site", "outside_site")]),
        ("devices", "site,kind,address", "2114000001,switch,10.2.0.1", [("address", "address_elsewhere")]),
        ("devices", "site,kind,name,upstream", "2114000001,switch,S,SNB", [("upstream", "outside_device")]),
        ("devices", "site,kind,name,upstream", "2114000001,switch,S,GW-B", [("upstream", "outside_device")]),
        ("devices", "site,kind,name,credential", "2114000001,switch,S,secret name", [("credential", "unknown_credential")]),
        ("lines", "circuit,operator,serves", "C-B,telecom,2114000001", [("circuit", "circuit_elsewhere")]),
        ("lines", "circuit,operator,serves", "C-9,telecom,2114000001;2114000002", [("serves", "outside_site")]),
        ("lines", "circuit,operator,serves,upstream", "C-9,telecom,2114000001,city:140100", [("upstream", "outside_site")]),
        ("lines", "circuit,operator,serves,end_device", "C-9,telecom,2114000001,SNB", [("end_device", "outside_device")]),
        ("lines", "circuit,operator,serves,far_device", "C-9,telecom,2114000001,AGG-B", [("far_device", "outside_device")]),
    ],
)  # fmt: skip
def test_what_leads_out_of_the_part_is_a_wrong_cell_that_tells_nothing(
    filled: Register, what: str, head: str, row: str, wrong: list[tuple[str, str]]
) -> None:
    good = {"schools": "2114000008,好学校,140106", "devices": "2114000001,ap,GOOD", "lines": "C-8,telecom,2114000001"}
    first = good[what].replace("GOOD", "10.1.0.99") if head.endswith("address") else good[what]
    plan = _plan(filled, what, f"{head}\n{first}\n{row}\n")
    assert _told(plan) == [(3, *cell) for cell in wrong]
    assert (plan.changes, plan.members) == ([], [])
    for language in ("zh", "en"):
        message = render(plan.problems[0], language).replace(plan.problems[0].found, "")  # type: ignore[arg-type]
        assert not [word for word in FOREIGN if word in message], message
    assert "迎泽区" in message or "taken" in message or "known are: -" in message


def test_a_countys_own_files_make_and_change_and_can_be_taken_back(filled: Register) -> None:
    scope = _scope(filled)
    batches = []
    for what, text in (
        ("schools", "name,county,pupils\n迎泽新校,迎泽区,70\n"),
        ("devices", "site,kind,name,serial,upstream\n同名小学,gateway,GW-N,SNN,\n2114000001,gateway,GW-A,SNA,\n"),
        ("lines", "circuit,operator,serves,bandwidth\nC-AB,telecom,迎泽一小,200\nC-N,unicom,同名小学,100\n"),
    ):
        plan = _plan(filled, what, text, scope)
        assert _told(plan) == []
        batches.append(apply_plan(filled, plan, "county"))
    with filled.session() as session:
        line = session.exec(select(Line).where(Line.circuit == "C-AB")).one()
        served = session.exec(select(Site.place_id).join(LineSite).where(LineSite.line_id == line.id)).all()
        assert (line.bandwidth_mbps, len(set(served))) == (200, 2), "the other county's school is still served"
        gateway = session.exec(select(Device).where(Device.serial == "SNA")).one()
        assert session.exec(select(DeviceUpstream).where(DeviceUpstream.device_id == gateway.id)).one(), "kept"
        assert session.exec(select(School).where(School.name == "迎泽新校")).one().pupils == 70
    with pytest.raises(UndoError, match="there is no import"):
        undo(filled, batches[0], "another", scope)
    with pytest.raises(UndoError, match="there is no import"):
        undo(filled, 1, "county", scope)
    with pytest.raises(UndoError, match="there is no import"):
        undo(filled, batches[0], "county", _scope(filled, "140105"))
    for batch in reversed(batches):
        undo(filled, batch, "county", scope)
    with filled.session() as session:
        assert session.exec(select(Line.bandwidth_mbps).where(Line.circuit == "C-AB")).one() is None
        assert session.exec(select(School).where(School.name == "迎泽新校")).first() is None


def test_a_bureaus_part_is_told_by_the_bureau_not_by_the_county(filled: Register) -> None:
    scope = _scope(filled, "140106", RegionTree.duty)
    text = "code,name,county,bureau\n2114000011,甲,140105,140106\n2114000012,乙,140106,140105\n2114000013,丙,140105,\n"
    assert _told(_plan(filled, "schools", text, scope)) == [(3, "bureau", "outside_bureau"), (4, "county", "outside_county")]  # fmt: skip
    assert _told(_plan(filled, "schools", "name,county\n同名小学,140105\n", scope)) == [(2, "county", "outside_county")]
    assert _told(_plan(filled, "schools", text.splitlines()[0] + "\n2114000011,甲,140105,140106\n", scope)) == []


def test_the_writing_asks_the_database_once_more(filled: Register) -> None:
    plan = _plan(filled, "devices", "site,kind,serial\n2114000001,switch,S-NEW\n2114000001,gateway,SNA\n")
    plan.scope = _scope(filled, "140105")
    with pytest.raises(OutsideError):
        apply_plan(filled, plan, "county")
    with filled.session() as session:
        assert session.exec(select(Device).where(Device.serial == "S-NEW")).first() is None


def test_who_has_no_part_any_more_imports_nothing(filled: Register, tmp_path: Path) -> None:
    from inventory.scope import NOTHING

    plan = _plan(filled, "schools", "code,name,county\n2114000009,新校,140106\n", NOTHING)
    assert _told(plan) == [(2, "county", "outside_county")]
