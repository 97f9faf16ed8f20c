"""Lines: known by the operator's circuit number, then by name and operator."""

from typing import Any

from inventory.imports.columns import Column, bandwidth, choice, day, names, text
from inventory.imports.finder import DeviceFinder
from inventory.imports.kinds import Counts, Kind, Report, Row, difference
from inventory.imports.problems import CellError
from inventory.imports.view import Change, Id, Members, New, View
from inventory.models import Line, LineSite

OPERATORS = {
    "telecom": ("电信", "中国电信"),
    "unicom": ("联通", "中国联通"),
    "mobile": ("移动", "中国移动"),
    "broadnet": ("广电", "中国广电", "broadcast"),
    "cernet": ("教育网", "中国教育和科研计算机网"),
    "own": ("自建", "自有光纤"),
    "other": ("其他",),
}
ROLES = {"primary": ("主用", "主线"), "backup": ("备用", "备线")}
STATUS = {"active": ("在用", "开通"), "ordered": ("在建", "已订购"), "ended": ("停用", "拆机")}

COLUMNS = (
    Column("circuit", "电路编号", "the operator's circuit number; empty: name and operator tell the line", "运营商电路编号;没有则以名称加运营商识别", text(80), aliases=("专线编号", "电路代号", "circuitnumber", "专线号"), example="TY-JY-000123"),
    Column("operator", "运营商", "who runs it", "运营商", choice(OPERATORS), required=True, choices=OPERATORS, example="电信"),
    Column("serves", "接入学校", "codes or names of schools (or sites), separated by ;", "学校标识码或名称(或站点名称),以分号隔开", names, required=True, aliases=("school", "schools", "schoolcode", "学校标识码", "学校", "服务学校", "学校名称", "接入单位"), example="2114000123;2114000124"),
    Column("name", "名称", "empty: the first school and the operator", "留空则为首个学校加运营商", text(120), aliases=("专线名称", "线路名称")),
    Column("role", "主备", "primary or backup; empty: primary", "主用或备用;留空为主用", choice(ROLES), aliases=("用途",), choices=ROLES),
    Column("bandwidth", "带宽", "contracted, in Mbit/s: 100, 100M or 1G", "合同带宽(Mbit/s):100、100M 或 1G", bandwidth, aliases=("下行带宽", "合同带宽", "bandwidthmbps"), example="500M"),
    Column("bandwidth_up", "上行带宽", "where it differs", "与下行不同时填写", bandwidth, aliases=("bandwidthupmbps",)),
    Column("upstream", "上联站点", "name of the site that it hangs under, or county:140105 or city:140100", "上联站点名称,或 county:140105、city:140100(县、市接入站点,没有则新建)", text(120), aliases=("上联", "upstreamsite", "汇聚站点"), example="county:140106"),
    Column("end_device", "本端设备", "name or serial number of the school's gateway that it ends on", "专线所接的学校网关:名称或序列号", text(120), aliases=("学校设备", "终端设备")),
    Column("end_port", "本端端口", "ifName", "端口名(ifName)", text(80), example="GigabitEthernet0/0/1"),
    Column("far_device", "对端设备", "name or serial number of the device at the other end", "局端设备:名称或序列号", text(120)),
    Column("far_port", "对端端口", "ifName", "端口名(ifName)", text(80)),
    Column("contact", "联系人", "at the operator", "运营商联系人", text(80), aliases=("客户经理",)),
    Column("phone", "报障电话", "the operator's fault line", "运营商报障电话", text(40), aliases=("热线", "hotline", "故障电话", "联系电话"), example="10000"),
    Column("status", "状态", "ordered, active or ended; empty: active", "在用、在建或停用;留空为在用", choice(STATUS), choices=STATUS),
    Column("active_on", "开通日期", "2026-09-01", "如 2026-09-01", day),
    Column("note", "备注", "anything else", "其他说明", text(500)),
)  # fmt: skip

_SAME = {"circuit": "circuit", "operator": "operator", "name": "name", "role": "role", "bandwidth": "bandwidth_mbps", "bandwidth_up": "bandwidth_up_mbps",
         "contact": "contact_name", "phone": "contact_phone", "status": "status", "active_on": "active_on", "note": "note",
         "end_port": "end_port", "far_port": "far_port"}  # fmt: skip
_EMPTY: dict[str, Any] = {"circuit": None, "role": "primary", "bandwidth_mbps": None, "bandwidth_up_mbps": None, "status": "active",
                          "active_on": None, "end_port": None, "far_port": None}  # fmt: skip


def _work(view: View, rows: list[Row], report: Report) -> Counts:
    known = {
        row.id: row
        for row in view.rows(Line, "id", *_SAME.values(), "upstream_site_id", "end_device_id", "far_device_id")
    }
    by_circuit = {row.circuit: row.id for row in known.values() if row.circuit}
    by_name = {(row.name, row.operator): row.id for row in known.values()}
    sites: dict[int, tuple[int, ...]] = {}
    for pair in view.every(LineSite, "line_id", "site_id"):
        sites[pair.line_id] = (*sites.get(pair.line_id, ()), pair.site_id)
    finder = DeviceFinder(view)
    seen: dict[Any, int] = {}
    counts = Counts()
    for row in rows:
        served = _served(view, row, report)
        values = _values(view, finder, row, served, report)
        if row.wrong:
            continue
        circuit = values.get("circuit")
        if not circuit and not values.get("name"):
            values["name"] = _name(view, served, values)
        key = circuit or (values["name"], values["operator"])
        if key in seen:
            report(row, "circuit" if circuit else "name", "double_in_file", row=seen[key])
            continue
        seen[key] = row.number
        if circuit and circuit not in by_circuit and (circuit,) in view.taken(Line, "circuit"):
            report(row, "circuit", "circuit_elsewhere")
            continue
        number = by_circuit.get(circuit) if circuit else by_name.get((values["name"], values["operator"]))
        old = known.get(number) if number is not None else None
        if old is None and not values.get("name"):
            values["name"] = _name(view, served, values)
        _put(view, values, served, old, sites, counts)
    return counts


def _served(view: View, row: Row, report: Report) -> tuple[Id, ...]:
    found: list[Id] = []
    for word in row.values.get("serves") or ():
        try:
            site = view.sites.find(word)
            if site not in found:
                found.append(site)
        except CellError as error:
            report(row, "serves", error.code, word, **error.params)
    if "serves" in row.values and not found and not row.wrong:
        report(row, "serves", "nothing_served")
    return tuple(found)


def _values(view: View, finder: DeviceFinder, row: Row, served: tuple[Id, ...], report: Report) -> dict[str, Any]:
    given = row.values
    values = {column: given[name] for name, column in _SAME.items() if name in given}
    values = {name: _EMPTY.get(name, "") if value is None else value for name, value in values.items()}
    if "upstream" in given:
        values["upstream_site_id"] = None
        if given["upstream"]:
            try:
                values["upstream_site_id"] = view.sites.find(given["upstream"])
            except CellError as error:
                report(row, "upstream", error.code, **error.params)
    for name, near in (("end_device", served), ("far_device", (values.get("upstream_site_id"),))):
        if name in given:
            values[f"{name}_id"] = None
            if given[name]:
                try:
                    values[f"{name}_id"] = finder.find(given[name], *near)
                except CellError as error:
                    report(row, name, error.code, **error.params)
        port = name.replace("device", "port")
        if given.get(port) and not given.get(name) and not given.get("circuit"):
            report(row, port, "no_port_device")
    return values


def _name(view: View, served: tuple[Id, ...], values: dict[str, Any]) -> str:
    operator = OPERATORS[values["operator"]][0]
    role = "" if values.get("role", "primary") == "primary" else "备线"
    return f"{view.sites.names[served[0]][:100]} {operator}{role}"


def _put(
    view: View,
    values: dict[str, Any],
    served: tuple[Id, ...],
    old: Any,
    sites: dict[int, tuple[int, ...]],
    counts: Counts,
) -> None:
    if old is None:
        key = New()
        view.changes.append(Change(Line, key, values))
        view.members.append(Members(LineSite, "line_id", "site_id", key, served))
        counts.created += 1
        return
    if not values.get("name"):
        values.pop("name", None)
    changed = difference(old, values)
    if changed:
        view.changes.append(Change(Line, old.id, changed, {name: getattr(old, name) for name in changed}))
    before = sites.get(old.id, ())
    # A line may serve others too, whom the importer does not see: they stay.
    served = (*served, *(site for site in before if site not in view.sites.own))
    moved = set(before) != set(served)
    if moved:
        view.members.append(Members(LineSite, "line_id", "site_id", old.id, served, before))
    counts.updated += bool(changed) or moved
    counts.unchanged += not changed and not moved


KIND = Kind("lines", "专线", COLUMNS, _work)
