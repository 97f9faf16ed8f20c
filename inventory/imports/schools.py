"""Schools, each with its main campus."""

from typing import Any

from inventory.imports.columns import Column, choice, number, school_code, text
from inventory.imports.kinds import Counts, Kind, Report, Row, difference
from inventory.imports.problems import CellError
from inventory.imports.view import Change, Id, New, View
from inventory.models import RegionTree, School, SchoolCode, Site, SiteKind, utcnow
from inventory.searching import school_words

LEVELS = {
    "kindergarten": ("幼儿园",),
    "teaching_point": ("教学点",),
    "primary": ("小学",),
    "junior": ("初中", "初级中学"),
    "nine_year": ("九年一贯制", "九年一贯制学校"),
    "senior": ("高中", "完全中学", "高级中学", "普通高中"),
    "twelve_year": ("十二年一贯制", "十二年一贯制学校"),
    "vocational": ("中职", "中等职业学校", "职业高中"),
    "special": ("特殊教育", "特殊教育学校", "特教"),
    "higher": ("高等学校", "高校", "大学"),
    "adult": ("成人教育",),
    "bureau": ("教育局", "教育行政部门"),
    "other": ("其他",),
}
KINDS_OF_SCHOOL = {"public": ("公办",), "private": ("民办",)}
SETTINGS = {"urban": ("城区", "城市"), "town": ("镇区", "镇"), "rural": ("乡村", "农村")}
STATUS = {"active": ("在办", "正常"), "closed": ("撤并", "停办", "已撤销"), "planned": ("筹建", "在建")}

_BY_CATEGORY = {
    "11": "kindergarten",
    "21": "primary",
    "31": "junior",
    "32": "vocational",
    "34": "senior",
    "36": "vocational",
}
_BY_CATEGORY |= {"41": "higher", "42": "higher", "51": "special", "22": "adult", "33": "adult", "35": "adult"}

COLUMNS = (
    Column("code", "学校标识码", "10 digits; empty where it has none (a teaching point): then name and county tell it", "10 位;没有的(如教学点)留空,以名称加县区识别", school_code, aliases=("机构标识码", "标识码", "schoolcode"), example="2114000123"),
    Column("name", "学校名称", "full name", "全称", text(120), required=True, aliases=("名称", "学校", "school"), example="迎泽区第一小学"),
    Column("level", "学段", "empty: by the code's first two digits", "留空则按标识码前两位判断", choice(LEVELS), aliases=("办学类型", "学校类型"), choices=LEVELS, example="小学"),
    Column("county", "县区", "name or GB/T 2260 code", "名称或区划代码(GB/T 2260)", text(40), required=True, aliases=("区县", "所在县区", "县市区", "countycode", "区划代码"), example="140106"),
    Column("bureau", "主管部门", "the bureau it answers to; empty: the county's", "主管教育局;留空为所在县区教育局", text(80), aliases=("主管教育局", "dutybureau", "duty")),
    Column("kind", "办学性质", "public or private; empty: public", "公办或民办;留空为公办", choice(KINDS_OF_SCHOOL), aliases=("性质", "公民办"), choices=KINDS_OF_SCHOOL),
    Column("setting", "城乡", "urban, town or rural", "城区、镇区或乡村", choice(SETTINGS), aliases=("城乡类型",), choices=SETTINGS),
    Column("pupils", "学生数", "how many pupils", "在校学生数", number(0, 200_000), aliases=("在校生数", "学生人数"), example="860"),
    Column("classes", "班级数", "how many classes", "班级数", number(0, 5_000), example="24"),
    Column("address", "地址", "of the main campus", "主校区地址", text(200), aliases=("学校地址",)),
    Column("contact", "联系人", "whom to call", "网络联系人", text(80), aliases=("contactname", "网管"), example="王老师"),
    Column("phone", "联系电话", "how to reach the contact", "联系人电话", text(40), aliases=("电话", "contactphone"), example="0351-1234567"),
    Column("status", "状态", "active, closed or planned; empty: active", "在办、撤并或筹建;留空为在办", choice(STATUS), choices=STATUS),
    Column("name_en", "英文名称", "English name", "英文名称", text(160)),
    Column("note", "备注", "anything else", "其他说明", text(500)),
)  # fmt: skip

_FIELDS = {"name", "level", "kind", "setting", "pupils", "classes", "status", "name_en", "note"}
_RENAMED = {"contact": "contact_name", "phone": "contact_phone"}
_OLD = ("id", "name", "name_en", "code", "level", "kind", "setting", "place_id", "duty_id", "pupils", "classes", "status",
        "contact_name", "contact_phone", "note")  # fmt: skip
_EMPTY: dict[str, Any] = {"pupils": None, "classes": None, "kind": "public", "level": "other", "status": "active"}


def _work(view: View, rows: list[Row], report: Report) -> Counts:
    known = {row.id: row for row in view.rows(School, *_OLD)}
    by_code = {row.code: row.id for row in known.values() if row.code}
    by_name = {(row.name, row.place_id): row.id for row in known.values()}
    voided = {row.code: row for row in view.rows(SchoolCode, "id", "code", "school_id", "valid_to") if row.valid_to}
    taken = view.taken(SchoolCode, "code") | view.taken(School, "code")
    seen: dict[Any, int] = {}
    counts = Counts()
    for row in rows:
        values = _values(view, row, report)
        if values is None:
            continue
        code = values.get("code")
        key = code or (values["name"], values["place_id"])
        if key in seen:
            report(row, "code" if code else "name", "double_in_file", row=seen[key])
            continue
        seen[key] = row.number
        if code in voided and code not in by_code:
            old = known[voided[code].school_id]
            report(row, "code", "voided_code", day=str(voided[code].valid_to), name=old.name)
            continue
        if code and code not in by_code and (code,) in taken:
            report(row, "code", "code_elsewhere")
            continue
        number_ = by_code.get(code) if code else by_name.get((values["name"], values["place_id"]))
        if number_ is None and code:
            # Registered before without a code, such as by a form: this row brings it.
            same = by_name.get((values["name"], values["place_id"]))
            number_ = same if same is not None and not known[same].code else None
        old = known.get(number_) if number_ is not None else None
        if _is_within(view, row, values, old, report):
            _put(view, values, row, old, counts)
    return counts


def _is_within(view: View, row: Row, values: dict[str, Any], old: Any, report: Report) -> bool:
    """Whether the school is, and stays, within the scope of who imports; else the cell that leads out is reported."""
    place = values["place_id"]
    duty = values.get("duty_id") or (old.duty_id if old is not None else view.duty_of_place(place))
    if not view.holds(place, duty):
        by_bureau = view.scope.tree is RegionTree.duty and bool(row.values.get("bureau"))
        report(row, *(("bureau", "outside_bureau") if by_bureau else ("county", "outside_county")), part=view.part)
    elif old is None and not values.get("code") and _named(values) in view.taken(School, "name", "place_id"):
        report(row, "name", "name_elsewhere")
    elif old is not None and _moves_a_foreign_campus(view, old, row, values):
        report(row, "name", "outside_campus", part=view.part)
    return not row.wrong


def _named(values: dict[str, Any]) -> tuple[str, int]:
    return values["name"], values["place_id"]


def _moves_a_foreign_campus(view: View, old: Any, row: Row, values: dict[str, Any]) -> bool:
    """Whether the main campus would follow the school, and does not lie within the scope."""
    site = view.sites.main_of_school.get(old.id)
    if site is None or site in view.sites.own:
        return False
    return _named(values) != (old.name, old.place_id) or "address" in row.values


def _values(view: View, row: Row, report: Report) -> dict[str, Any] | None:
    """The row as columns of `School`; None where something is wrong."""
    given = row.values
    values = {_RENAMED.get(name, name): value for name, value in given.items() if name in _FIELDS or name in _RENAMED}
    values = {name: _EMPTY.get(name, "") if value is None else value for name, value in values.items()}
    if given.get("code"):
        values["code"] = given["code"]
    try:
        values["place_id"] = view.place(given.get("county") or "")
    except CellError as error:
        if not row.wrong or "county" in given:
            report(row, "county", error.code, **error.params)
    if given.get("bureau"):
        try:
            values["duty_id"] = view.duty(given["bureau"])
        except CellError as error:
            report(row, "bureau", error.code, **error.params)
    return None if row.wrong else values


def _put(view: View, values: dict[str, Any], row: Row, old: Any, counts: Counts) -> None:
    address = row.values.get("address", "")
    if old is None:
        key = New()
        if "level" not in values:
            values["level"] = _BY_CATEGORY.get((values.get("code") or "")[:2], "other")
        values.setdefault("duty_id", view.duty_of_place(values["place_id"]))
        view.changes.append(Change(School, key, {**values, "search": _search(values)}))
        if values.get("code"):
            _put_code(view, key, values["code"])
        _put_campus(view, key, values, address or "")
        counts.created += 1
        return
    changed = difference(old, values)
    if changed:
        merged = {name: getattr(old, name) for name in ("name", "name_en", "code")} | values
        before = {name: getattr(old, name) for name in changed}
        view.changes.append(Change(School, old.id, {**changed, "search": _search(merged)}, before))
        if "code" in changed:
            _put_code(view, old.id, changed["code"])
    moved = _change_campus(view, old.id, values, changed, address)
    counts.updated += bool(changed) or moved
    counts.unchanged += not changed and not moved


def _search(values: dict[str, Any]) -> str:
    return school_words(values["name"], values.get("name_en") or "", values.get("code"))


def _put_code(view: View, school: Id, code: str) -> None:
    view.changes.append(Change(SchoolCode, New(), {"school_id": school, "code": code, "valid_from": utcnow().date()}))


def _put_campus(view: View, school: Id, values: dict[str, Any], address: str) -> None:
    site = {
        "name": values["name"],
        "kind": SiteKind.campus,
        "main": True,
        "school_id": school,
        "place_id": values["place_id"],
    }
    view.changes.append(Change(Site, New(), {**site, "address": address}))


def _change_campus(
    view: View, school: int, values: dict[str, Any], changed: dict[str, Any], address: str | None
) -> bool:
    """The main campus follows the school's name and county; an address is its own. Whether anything changes."""
    site = view.sites.main_of_school.get(school)
    if site is not None and site not in view.sites.own:
        return False
    if site is None:
        _put_campus(view, school, values, address or "")
        return True
    old = _campuses(view)[site]
    wanted = {name: changed[name] for name in ("place_id",) if name in changed}
    if "name" in changed and old.name == view.schools[school].name:
        wanted["name"] = changed["name"]
    if address != "":
        wanted["address"] = address or ""
    moved = difference(old, wanted)
    if moved:
        view.changes.append(Change(Site, site, moved, {name: getattr(old, name) for name in moved}))
    return bool(moved)


def _campuses(view: View) -> dict[int, Any]:
    found: dict[int, Any] = view.remember(
        "campuses", lambda: {row.id: row for row in view.rows(Site, "id", "name", "place_id", "address")}
    )
    return found


KIND = Kind("schools", "学校", COLUMNS, _work)
