"""Importing: what is written, what is updated, what is refused and where, and that it can be undone."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlmodel import SQLModel, func, select

from inventory.database import Register
from inventory.imports import KINDS, Plan, RegisterMovedError, UndoError, apply_plan, plan_import, render, undo
from inventory.imports.template import template_csv, template_xlsx, write_template
from inventory.models import (
    Address,
    AuditEntry,
    Device,
    DeviceUpstream,
    ImportBatch,
    Line,
    LineSite,
    Region,
    School,
    SchoolCode,
    Site,
    Zone,
)
from inventory.regions import load_regions

SCHOOLS = """学校标识码,学校名称,学段,县区,学生数,地址
2114000001,迎泽一小,小学,迎泽区,860,文庙巷 1 号
3114000002,小店二中,,140105,1200,
,北庄教学点,教学点,太原市小店区,12,
"""
DEVICES = """site,kind,name,address,serial,mac,upstream
2114000001,gateway,GW,10.1.0.1,SN1,00:1A:2B:3C:4D:5E,
2114000001,交换机,SW,10.1.0.2,SN2,,GW
2114000001,AP,AP1,,,,SN2
北庄教学点,网关,,10.1.1.1,,,
county:140106,汇聚,AGG,10.0.0.1,SN9,,
"""
LINES = """电路编号,运营商,接入学校,带宽,上联站点,本端设备,本端端口,报障电话
TY-001,中国电信,2114000001;北庄教学点,1G,county:140106,SN1,GE0/0/1,10000
TY-002,联通,小店二中,500M,county:小店区,,,10010
"""


@pytest.fixture
def ready(register: Register) -> Register:
    with register.session() as session:
        load_regions(session)
        session.add(Zone(name="edu", default=True))
        session.commit()
    return register


@pytest.fixture
def quick(sqlite: Register) -> Register:
    with sqlite.session() as session:
        load_regions(session)
        session.add(Zone(name="edu", default=True))
        session.commit()
    return sqlite


def _plan(register: Register, what: str, text: str | bytes, name: str = "") -> Plan:
    with register.session() as session:
        return plan_import(session, what, text.encode() if isinstance(text, str) else text, name)


def _apply(register: Register, what: str, text: str) -> tuple[Plan, int]:
    plan = _plan(register, what, text)
    assert [render(problem, "en") for problem in plan.problems] == []
    return plan, apply_plan(register, plan, "test")


def _counts(plan: Plan) -> tuple[int, int, int]:
    return plan.counts.created, plan.counts.updated, plan.counts.unchanged


def _count(register: Register, model: type[SQLModel]) -> int:
    with register.session() as session:
        return int(session.exec(select(func.count()).select_from(model)).one())


def _fill(register: Register) -> list[int]:
    return [_apply(register, *pair)[1] for pair in (("schools", SCHOOLS), ("devices", DEVICES), ("lines", LINES))]


def test_schools_devices_and_lines_are_written(ready: Register) -> None:
    _fill(ready)
    with ready.session() as session:
        schools = {school.name: school for school in session.exec(select(School)).all()}
        first, second, third = schools["迎泽一小"], schools["小店二中"], schools["北庄教学点"]
        assert (first.code, first.level, first.pupils) == ("2114000001", "primary", 860)
        assert (second.level, third.level, third.code) == ("junior", "teaching_point", None)
        bureau = session.get(Region, second.duty_id)
        assert bureau is not None
        assert bureau.name == "小店区教育局"
        assert "yingze" in first.search
        assert {code.code for code in session.exec(select(SchoolCode)).all()} == {"2114000001", "3114000002"}
        campus = session.exec(select(Site).where(Site.school_id == first.id)).one()
        assert (campus.main, campus.address, campus.kind) == (True, "文庙巷 1 号", "campus")
        devices = {device.name: device for device in session.exec(select(Device)).all()}
        assert devices["GW"].chassis_mac == "001a2b3c4d5e"
        assert devices["gateway 10.1.1.1"].kind == "gateway"
        above = {(pair.device_id, pair.upstream_id) for pair in session.exec(select(DeviceUpstream)).all()}
        assert above == {(devices["SW"].id, devices["GW"].id), (devices["AP1"].id, devices["SW"].id)}
        lines = {line.circuit: line for line in session.exec(select(Line)).all()}
        assert (lines["TY-001"].operator, lines["TY-001"].bandwidth_mbps, lines["TY-001"].end_device_id) == (
            "telecom",
            1000,
            devices["GW"].id,
        )
        assert lines["TY-002"].name == "小店二中 联通"
        county = session.get(Site, lines["TY-001"].upstream_site_id)
        assert county is not None
        assert (county.tier, county.id) == ("county", devices["AGG"].site_id)
        served = session.exec(select(LineSite.site_id).where(LineSite.line_id == lines["TY-001"].id)).all()
        assert len(served) == 2
    assert ready.version() == 3


def test_the_same_again_changes_nothing(ready: Register) -> None:
    _fill(ready)
    version = ready.version()
    for what, text, count in (("schools", SCHOOLS, 3), ("devices", DEVICES, 5), ("lines", LINES, 2)):
        plan = _plan(ready, what, text)
        assert (_counts(plan), plan.changes, plan.members) == ((0, 0, count), [], [])
    assert ready.version() == version


def test_what_differs_is_updated_and_empty_cells_leave_what_is_there(ready: Register) -> None:
    _fill(ready)
    plan, _ = _apply(ready, "schools", "code,name,county,pupils,address\n2114000001,迎泽区第一小学,迎泽区,,-\n")
    assert _counts(plan) == (0, 1, 0)
    plan, _ = _apply(ready, "devices", "site,kind,name,address,serial\n3114000002,gateway,GW,10.1.0.9,SN1\n")
    assert _counts(plan) == (0, 1, 0)
    plan, _ = _apply(ready, "devices", "site,kind,address,upstream\n2114000001,switch,10.1.0.2,-\n")
    assert _counts(plan) == (0, 1, 0)
    plan, _ = _apply(ready, "lines", "circuit,operator,serves,bandwidth\nTY-001,telecom,小店二中,200\n")
    assert _counts(plan) == (0, 1, 0)
    with ready.session() as session:
        school = session.exec(select(School).where(School.code == "2114000001")).one()
        assert (school.name, school.pupils, school.row_version) == ("迎泽区第一小学", 860, 2)
        campus = session.exec(select(Site).where(Site.school_id == school.id)).one()
        assert (campus.name, campus.address) == ("迎泽区第一小学", "")
        device = session.exec(select(Device).where(Device.serial == "SN1")).one()
        address = session.exec(select(Address).where(Address.device_id == device.id)).one()
        assert address.ip == "10.1.0.9"
        assert device.site_id != campus.id
        line = session.exec(select(Line).where(Line.circuit == "TY-001")).one()
        assert (line.bandwidth_mbps, line.end_port) == (200, "GE0/0/1")
        assert len(session.exec(select(LineSite).where(LineSite.line_id == line.id)).all()) == 1
        assert len(session.exec(select(DeviceUpstream)).all()) == 1


def test_imports_are_undone_as_a_whole(ready: Register) -> None:
    batches = _fill(ready)
    before = _dump(ready)
    for what, text in (
        ("schools", "code,name,county,pupils\n2114000001,新名,小店区,1\n2114000009,新校,小店区,5\n"),
        (
            "devices",
            "site,kind,name,address,serial,upstream,installed_on\n小店二中,gateway,X,10.1.0.8,SN1,,2026-09-01\n小店二中,switch,Y,10.9.0.1,,X,\n",
        ),
        ("lines", "circuit,operator,serves\nTY-001,移动,小店二中\nTY-009,移动,小店二中\n"),
    ):
        _, batch = _apply(ready, what, text)
        assert undo(ready, batch, "test") > 0
        assert _dump(ready) == before
    with pytest.raises(UndoError, match="already"):
        undo(ready, batch)
    for batch in reversed(batches):
        undo(ready, batch)
    assert {
        model: _count(ready, model)
        for model in (School, SchoolCode, Site, Device, Address, DeviceUpstream, Line, LineSite)
    } == dict.fromkeys((School, SchoolCode, Site, Device, Address, DeviceUpstream, Line, LineSite), 0)
    with pytest.raises(UndoError, match="no import"):
        undo(ready, 999)


def _dump(register: Register) -> dict[str, list[Any]]:
    found = {}
    with register.session() as session:
        for model in (School, SchoolCode, Site, Device, Address, DeviceUpstream, Line, LineSite):
            rows = [
                row.model_dump(exclude={"row_version", "updated_at", "search"})
                for row in session.exec(select(model)).all()
            ]
            found[model.__name__] = sorted(rows, key=str)
    return found


def test_what_was_changed_or_used_since_is_not_undone(ready: Register) -> None:
    schools, devices, _ = _fill(ready)
    with pytest.raises(UndoError):
        undo(ready, schools)
    with ready.session() as session:
        device = session.exec(select(Device).where(Device.name == "AP1")).one()
        device.row_version += 1
        session.add(device)
        session.commit()
    with pytest.raises(UndoError, match="changed since") as raised:
        undo(ready, devices)
    assert "AP1" in render(raised.value.problems[0], "zh")
    assert _count(ready, Device) == 5


def test_a_plan_is_not_applied_to_a_register_that_moved(ready: Register) -> None:
    plan = _plan(ready, "schools", SCHOOLS)
    _apply(ready, "schools", SCHOOLS.replace("860", "861"))
    with pytest.raises(RegisterMovedError):
        apply_plan(ready, plan)
    assert _count(ready, ImportBatch) == 1


def test_an_import_stands_in_the_audit(quick: Register) -> None:
    _fill(quick)
    with quick.session() as session:
        entries = session.exec(select(AuditEntry)).all()
    assert [(entry.actor, entry.action, entry.resource) for entry in entries] == [
        ("test", "import", "schools"),
        ("test", "import", "devices"),
        ("test", "import", "lines"),
    ]


BAD = [
    ("schools", "code,name,county\n2115000001,甲,迎泽区\n", ("not_a_code", 2, "code", "A2", "2115000001")),
    ("schools", "code,name,county\n114000001,甲,迎泽区\n", ("not_a_code", 2, "code", "A2", "114000001")),
    ("schools", "code,name,county\n2114000001,甲,朝阳区\n", ("unknown_county", 2, "county", "C2", "朝阳区")),
    ("schools", "code,name,county\n2114000001,甲,110105\n", ("unknown_county", 2, "county", "C2", "110105")),
    ("schools", "code,name,county\n2114000001,甲,城区\n", ("ambiguous_county", 2, "county", "C2", "城区")),
    ("schools", "code,name,county\n2114000001,,迎泽区\n", ("required", 2, "name", "B2", "")),
    ("schools", "code,name,county\n2114000001,=1+1,迎泽区\n", ("formula", 2, "name", "B2", "=1+1")),
    ("schools", "code,name,county,学段\n2114000001,甲,迎泽区,中学\n", ("not_a_choice", 2, "学段", "D2", "中学")),
    ("schools", "code,name,county,pupils\n2114000001,甲,迎泽区,很多\n", ("not_a_number", 2, "pupils", "D2", "很多")),
    ("schools", "code,name,county,duty bureau\n2114000001,甲,迎泽区,乙\n", ("unknown_bureau", 2, "duty bureau", "D2", "乙")),
    ("schools", "code,name,county\n2114000001,甲,迎泽区\n2114000001,乙,迎泽区\n", ("double_in_file", 3, "code", "A3", "2114000001")),
    ("schools", "code,name,county,colour\n2114000001,甲,迎泽区,red\n", ("unknown_column", 1, "colour", "D1", "colour")),
    ("schools", "code,name,county,学校名称\n2114000001,甲,迎泽区,乙\n", ("double_column", 1, "学校名称", "D1", "")),
    ("schools", "code,name\n2114000001,甲\n", ("missing_column", 1, "", "", "")),
    ("schools", "1,2\n3,4\n", ("no_header", None, "", "", "")),
    ("schools", "code,name,county\n", ("no_rows", None, "", "", "")),
    ("schools", "", ("empty_file", None, "", "", "")),
    ("schools", "  \n\n", ("empty_file", None, "", "", "")),
    ("devices", "site,kind,address\n9999,ap,10.0.0.1\n", ("unknown_site", 2, "site", "A2", "9999")),
    ("devices", "site,kind,address\n迎泽一小,ap,10.0.0.256\n", ("not_an_address", 2, "address", "C2", "10.0.0.256")),
    ("devices", "site,kind,address\n迎泽一小,ap,224.0.0.1\n", ("not_an_address", 2, "address", "C2", "224.0.0.1")),
    ("devices", "site,kind,address,zone\n迎泽一小,ap,10.0.0.1,moon\n", ("unknown_zone", 2, "zone", "D2", "moon")),
    ("devices", "site,kind,address,serial\n迎泽一小,ap,10.0.0.7,A\n迎泽一小,ap,10.0.0.8,A\n", ("serial_double", 3, "serial", "D3", "A")),
    ("devices", "site,kind,address\n迎泽一小,ap,10.0.0.7\n迎泽一小,ap,010.0.0.7\n", ("not_an_address", 3, "address", "C3", "010.0.0.7")),
    ("devices", "site,kind,address\n迎泽一小,ap,10.0.0.7\n迎泽一小,ap,10.0.0.7\n", ("address_double", 3, "address", "C3", "10.0.0.7")),
    ("devices", "site,kind,address,serial\n迎泽一小,ap,10.1.0.2,SN1\n", ("address_taken", 2, "address", "C2", "10.1.0.2")),
    ("devices", "site,kind,address,serial\n迎泽一小,ap,10.1.0.2,SN7\n", ("address_taken", 2, "address", "C2", "10.1.0.2")),
    ("devices", "site,kind,address,mac\n迎泽一小,ap,10.0.0.7,00:11\n", ("not_a_mac", 2, "mac", "D2", "00:11")),
    ("devices", "site,kind\n迎泽一小,ap\n", ("no_key", 2, "name 名称", "", "")),
    ("devices", "site,kind,address,credential\n迎泽一小,ap,10.0.0.7,none\n", ("unknown_credential", 2, "credential", "D2", "none")),
    ("devices", "site,kind,name,upstream\n迎泽一小,ap,A,B\n", ("unknown_device", 2, "upstream", "D2", "B")),
    ("devices", "site,kind,name,upstream\n迎泽一小,ap,A,A\n", ("own_upstream", 2, "upstream", "D2", "A")),
    ("devices", "site,kind,name,upstream\n迎泽一小,switch,A,AP1\n", ("edge_upstream", 2, "upstream", "D2", "AP1")),
    ("devices", "site,kind,name,serial,upstream\n迎泽一小,gateway,GW,SN1,SW\n", ("upstream_loop", 2, "upstream", "E2", "SW")),
    ("devices", "site,kind,address,snmp_port\n迎泽一小,ap,10.0.0.7,70000\n", ("not_a_number", 2, "snmp_port", "D2", "70000")),
    ("lines", "circuit,operator,serves,bandwidth\nX,电信,迎泽一小,fast\n", ("not_a_bandwidth", 2, "bandwidth", "D2", "fast")),
    ("lines", "circuit,operator,serves\nX,电信,迎泽一小;nobody\n", ("unknown_site", 2, "serves", "C2", "nobody")),
    ("lines", "circuit,operator,serves,upstream\nX,电信,迎泽一小,county:999999\n", ("unknown_county", 2, "upstream", "D2", "county:999999")),
    ("lines", "circuit,operator,serves\nX,电信,迎泽一小\nX,电信,迎泽一小\n", ("double_in_file", 3, "circuit", "A3", "X")),
]  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Register:
    register = Register(f"sqlite:///{tmp_path_factory.mktemp('register') / 'edunet.db'}")
    register.migrate()
    with register.session() as session:
        load_regions(session)
        session.add(Zone(name="edu", default=True))
        session.commit()
    _fill(register)
    return register


@pytest.mark.parametrize(
    ("what", "text", "expected"),
    BAD,
    ids=[f"{what}-{expected[0]}-{number}" for number, (what, _, expected) in enumerate(BAD)],
)
def test_each_wrong_cell_is_named(filled: Register, what: str, text: str, expected: tuple[Any, ...]) -> None:
    plan = _plan(filled, what, text)
    assert [(problem.code, problem.row, problem.column, problem.cell, problem.found) for problem in plan.problems] == [
        expected
    ]
    chinese, english = render(plan.problems[0], "zh"), render(plan.problems[0], "en")
    assert chinese != english
    assert "{" not in chinese + english
    with pytest.raises(ValueError, match="wrong cells"):
        apply_plan(filled, plan)


def test_all_wrong_cells_are_named_at_once(filled: Register) -> None:
    plan = _plan(filled, "schools", "code,name,county,pupils\nabc,甲,月球,-5\n2114000077,乙,迎泽区,7\n1,,迎泽区,x\n")
    assert [(problem.cell, problem.code) for problem in plan.problems] == [
        ("A2", "not_a_code"),
        ("D2", "not_a_number"),
        ("C2", "unknown_county"),
        ("A4", "not_a_code"),
        ("B4", "required"),
        ("D4", "not_a_number"),
    ]


def test_an_address_without_any_zone_is_named(sqlite: Register) -> None:
    with sqlite.session() as session:
        load_regions(session)
        session.commit()
    _apply(sqlite, "schools", SCHOOLS)
    plan = _plan(sqlite, "devices", DEVICES)
    assert [(problem.code, problem.row) for problem in plan.problems] == [
        ("no_zone", 2),
        ("no_zone", 3),
        ("no_zone", 5),
        ("no_zone", 6),
    ]


def test_a_voided_code_is_not_given_out_again(quick: Register) -> None:
    from datetime import date

    _fill(quick)
    with quick.session() as session:
        code = session.exec(select(SchoolCode).where(SchoolCode.code == "2114000001")).one()
        code.valid_to = date(2026, 7, 1)
        school = session.get(School, code.school_id)
        assert school is not None
        school.code = None
        session.add_all([code, school])
        session.commit()
    plan = _plan(quick, "schools", "code,name,county\n2114000001,别的学校,迎泽区\n")
    assert [problem.code for problem in plan.problems] == ["voided_code"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "\uff0c"])
def test_text_in_every_usual_form_is_read(filled: Register, encoding: str, delimiter: str) -> None:
    text = SCHOOLS.replace(",", delimiter)
    plan = _plan(filled, "schools", text.replace("\n", "\r\n").encode(encoding))
    assert (_counts(plan), plan.problems) == ((0, 0, 3), [])


def _xlsx(rows: list[list[Any]], title: str = "设备", **others: list[list[Any]]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for name, more in others.items():
        extra = book.create_sheet(name)
        for row in more:
            extra.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_is_read_with_its_title_and_numbers(filled: Register) -> None:
    rows = [
        ["太原市学校表"],
        [],
        ["学校标识码 *", "学校名称(全称)", "县 区", "学生数"],
        [2114000001, "迎泽一小", 140106, 860.0],
    ]
    plan = _plan(filled, "schools", _xlsx(rows, Sheet2=[]))
    assert (_counts(plan), plan.problems) == ((0, 0, 1), [])


def test_wrong_cells_of_a_workbook_name_their_sheet(filled: Register) -> None:
    header = ["site", "kind", "serial"]
    plan = _plan(
        filled,
        "devices",
        _xlsx([header, ["迎泽一小", "ap", "A"]], 二=[header, ["迎泽一小", "飞船", 12345678901234567890]]),
    )
    assert [(problem.sheet, problem.row, problem.column, problem.code) for problem in plan.problems] == [
        ("二", 2, "kind", "not_a_choice"),
        ("二", 2, "serial", "digits_lost"),
    ]
    assert render(plan.problems[0], "zh").startswith("工作表 二")


def _zip(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def _far_cell() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"] = "code"
    sheet["XFD1048576"] = "x"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"PK\x03\x04 and then nothing", "broken_workbook", id="broken"),
        pytest.param(_xlsx([["code"]])[:-200], "broken_workbook", id="cut short"),
        pytest.param(_zip(a=b"no workbook"), "broken_workbook", id="another zip"),
        pytest.param(_zip(**{"xl/worksheets/sheet1.xml": b"\0" * (60 << 20)}), "zip_bomb", id="zip bomb"),
        pytest.param(_far_cell(), "too_wide", id="far cell"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_workbook", id="old"),
        pytest.param(b"\x00\x01\x02\xff\xfe\xfd" * 9, "not_text", id="binary"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_as_a_whole(filled: Register, data: bytes, code: str) -> None:
    plan = _plan(filled, "schools", data, "file.xlsx" if data.startswith(b"PK") else "file.csv")
    assert [problem.code for problem in plan.problems] == [code]
    assert render(plan.problems[0], "zh") != render(plan.problems[0], "en")


@pytest.mark.parametrize("what", list(KINDS))
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_template_can_be_filled_in(filled: Register, what: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{ending}"
    write_template(KINDS[what], path)
    assert [problem.code for problem in _plan(filled, what, path.read_bytes(), path.name).problems] == ["no_rows"]
    with pytest.raises(FileExistsError):
        write_template(KINDS[what], path)


def test_a_filled_template_keeps_leading_zeros(filled: Register) -> None:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(template_xlsx(KINDS["devices"])))
    sheet = book.worksheets[0]
    assert len(sheet.data_validations.dataValidation) == 4
    for column, value in {1: "迎泽一小", 2: "无线接入点", 4: "10.3.0.1", 13: "00012"}.items():
        sheet.cell(2, column, value)
    out = io.BytesIO()
    book.save(out)
    plan = _plan(filled, "devices", out.getvalue())
    assert plan.problems == []
    assert [change.values["serial"] for change in plan.changes if change.model is Device] == ["00012"]
    assert "学校标识码" in template_csv(KINDS["schools"])
