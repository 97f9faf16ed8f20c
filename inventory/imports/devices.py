"""Devices with their address: known by serial number, then by zone and address, then by name at their site."""

from ipaddress import ip_address
from typing import Any

from inventory.credentials import default_zone
from inventory.imports.columns import Column, choice, day, mac, names, number, text
from inventory.imports.finder import DeviceFinder
from inventory.imports.kinds import Counts, Kind, Report, Row, difference
from inventory.imports.problems import CellError
from inventory.imports.view import Change, Id, Members, New, View
from inventory.lookup import pack, parse_address
from inventory.models import Address, Device, DeviceUpstream
from inventory.models.devices import EDGE_KINDS
from inventory.searching import device_words

KINDS_OF_DEVICE = {
    "core": ("核心", "核心交换机", "核心路由器"),
    "aggregation": ("汇聚", "汇聚交换机"),
    "gateway": ("网关", "出口网关", "路由器", "出口路由器", "防火墙", "router", "firewall"),
    "switch": ("交换机", "接入交换机"),
    "ac": ("无线控制器", "AC"),
    "ap": ("无线接入点", "无线AP", "AP"),
    "camera": ("摄像头", "摄像机", "网络摄像机"),
    "recorder": ("录像机", "NVR", "硬盘录像机"),
    "ups": ("不间断电源", "UPS"),
    "sensor": ("传感器", "温湿度传感器"),
    "server": ("服务器",),
    "printer": ("打印机",),
    "terminal": ("终端", "班班通", "一体机"),
    "other": ("其他",),
}
WATCH = {
    "any": ("任一应答", "ping或SNMP", "自动"),
    "snmp": ("SNMP", "仅SNMP"),
    "icmp": ("ping", "仅ping"),
    "tcp": ("TCP", "TCP端口"),
    "none": ("不监测", "不监控"),
}
VERSIONS = {"2c": ("v2c", "2"), "3": ("v3",), "1": ("v1",)}
STATUS = {"active": ("在用",), "planned": ("计划", "待装"), "spare": ("备件", "备用"), "retired": ("报废", "退役")}

COLUMNS = (
    Column("site", "学校或站点", "code or name of the school, name of a site, or county:140105", "学校标识码或名称、站点名称,或 county:140105(县级接入站点)", text(120), required=True, aliases=("school", "schoolcode", "学校标识码", "学校", "站点", "学校名称"), example="2114000123"),
    Column("kind", "类型", "what it is; a gateway's silence means that the school is cut off", "设备类型;网关不应答即判断学校断网", choice(KINDS_OF_DEVICE), required=True, aliases=("设备类型",), choices=KINDS_OF_DEVICE, example="网关"),
    Column("name", "名称", "empty: kind and address", "留空则为类型加地址", text(120), aliases=("设备名称", "主机名"), example="GW-01"),
    Column("address", "地址", "IPv4 or IPv6 address that is asked", "被监测的 IPv4 或 IPv6 地址", text(60), aliases=("IP", "IP地址", "管理地址", "ipaddress"), example="10.1.2.1"),
    Column("zone", "区域", "address space; empty: the default zone", "地址空间;留空为默认区域", text(40), aliases=("地址区域",)),
    Column("watch", "监测方式", "any: ping or SNMP; snmp; icmp; tcp; none. Empty: any", "any 任一应答、snmp、icmp、tcp、none 不监测;留空为 any", choice(WATCH), choices=WATCH),
    Column("snmp_port", "SNMP端口", "empty: 161", "留空为 161", number(1, 65535), aliases=("port", "端口"), example="161"),
    Column("snmp_version", "SNMP版本", "2c, 3 or 1; empty: as the credential says", "2c、3 或 1;留空按凭据", choice(VERSIONS), choices=VERSIONS),
    Column("credential", "凭据", "name of a credential; empty: the nearest of its county, city or zone", "凭据名称;留空取所在县、市或区域的凭据", text(80), aliases=("凭据名称",)),
    Column("tcp_ports", "TCP端口", "ports that count as life, 443,8000", "可作为应答依据的端口,如 443,8000", text(80)),
    Column("vendor", "厂商", "maker", "厂商", text(80), aliases=("品牌",), example="Huawei"),
    Column("model", "型号", "model", "型号", text(120), aliases=("设备型号",), example="AR169"),
    Column("serial", "序列号", "serial number: known by it wherever it moves", "序列号;换地方也以此识别", text(80), aliases=("SN", "serialnumber"), example="2102351BTJ10C4000123"),
    Column("mac", "MAC地址", "chassis MAC", "整机 MAC", mac, aliases=("MAC",)),
    Column("upstream", "上联设备", "names (same site) or serial numbers, separated by ;", "上联设备名称(同一站点)或序列号,以分号隔开", names, aliases=("上级设备", "上联")),
    Column("room", "房间", "where it stands", "安装位置", text(80), aliases=("安装位置", "机房", "位置")),
    Column("asset_tag", "资产编号", "asset number", "资产编号", text(80), aliases=("资产号",)),
    Column("status", "状态", "active, planned, spare or retired; empty: active", "在用、计划、备件或报废;留空为在用", choice(STATUS), choices=STATUS),
    Column("installed_on", "安装日期", "2026-09-01", "如 2026-09-01", day),
    Column("owner", "产权单位", "whose it is", "产权单位", text(80)),
    Column("note", "备注", "anything else", "其他说明", text(500)),
)  # fmt: skip

_SAME = ("kind", "name", "watch", "snmp_port", "snmp_version", "tcp_ports", "vendor", "model", "serial", "room", "asset_tag",
         "status", "installed_on", "owner", "note")  # fmt: skip
_EMPTY: dict[str, Any] = {
    "watch": "any",
    "snmp_port": 161,
    "status": "active",
    "serial": None,
    "asset_tag": None,
    "installed_on": None,
}


class _Work:
    """One import of devices."""

    def __init__(self, view: View, report: Report) -> None:
        self.view = view
        self.report = report
        self.counts = Counts()
        self.finder = DeviceFinder(view)
        zone = default_zone(view.session)
        self.default_zone = zone.name if zone else None
        self.serials: dict[str, int] = {}
        self.addresses: dict[tuple[str, str], int] = {}
        self.nameds: dict[tuple[Id, str], int] = {}
        self.placed: list[tuple[Row, Id]] = []
        self.touched: dict[Id, bool] = {}
        self.refused: set[str] = set()

    def run(self, rows: list[Row]) -> Counts:
        """Two passes: upstreams may stand below what hangs under them."""
        for row in rows:
            values = self._values(row)
            place = self._address(row)
            self._check_doubles(row, values, place)
            if not row.wrong:
                old = self._match(row, values, place)
                self._check_taken(row, values, place)
                if not row.wrong:
                    self._put(row, values, place, old)
            if row.wrong:
                self.refused |= {word for word in (values.get("name"), values.get("serial")) if word}
        for row, key in self.placed:
            self._upstreams(row, key)
        self._check_loops()
        self.counts.updated = sum(self.touched.values())
        self.counts.unchanged = len(self.touched) - self.counts.updated
        return self.counts

    def _values(self, row: Row) -> dict[str, Any]:
        given = row.values
        values = {name: given[name] for name in _SAME if name in given}
        values = {name: _EMPTY.get(name, "") if value is None else value for name, value in values.items()}
        if "mac" in given:
            values["chassis_mac"] = given["mac"]
        if "site" in given:
            try:
                values["site_id"] = self.view.sites.find(given["site"])
            except CellError as error:
                self.report(row, "site", error.code, **error.params)
        if "credential" in given:
            number_ = self.view.credentials.get(given["credential"]) if given["credential"] else None
            if given["credential"] and number_ is None:
                self.report(
                    row, "credential", "unknown_credential", credentials=", ".join(self.view.credentials) or "-"
                )
            values["credential_id"] = number_
        return values

    def _address(self, row: Row) -> tuple[str, str] | None:
        """(zone, canonical address), or None."""
        given = row.values
        zone = given.get("zone") or self.default_zone
        if given.get("zone") and zone not in self.view.zones:
            self.report(row, "zone", "unknown_zone", zones=", ".join(self.view.zones) or "-")
            zone = None
        elif given.get("address") and zone is None:
            self.report(row, "address", "no_zone")
        if not given.get("address"):
            return None
        try:
            found = parse_address(given["address"])
            if found.is_multicast or found.is_unspecified or found == ip_address("255.255.255.255"):
                raise ValueError
        except ValueError:
            self.report(row, "address", "not_an_address")
            return None
        return (zone, str(found)) if zone else None

    def _check_doubles(self, row: Row, values: dict[str, Any], place: tuple[str, str] | None) -> None:
        """Twice in this file: the second is wrong."""
        serial = values.get("serial")
        if serial and self.serials.setdefault(serial, row.number) != row.number:
            self.report(row, "serial", "serial_double", row=self.serials[serial])
        if place and self.addresses.setdefault(place, row.number) != row.number:
            self.report(row, "address", "address_double", address=place[1], zone=place[0], row=self.addresses[place])
        if not serial and not place:
            if not values.get("name"):
                if not row.wrong:
                    self.report(row, "name", "no_key")
            elif "site_id" in values:
                named = (values["site_id"], values["name"])
                if self.nameds.setdefault(named, row.number) != row.number:
                    self.report(row, "name", "double_in_file", row=self.nameds[named])

    def _match(self, row: Row, values: dict[str, Any], place: tuple[str, str] | None) -> Any:
        """The register's device that this row means, or None for a new one."""
        serial = values.get("serial")
        by_serial = self.finder.by_serial.get(serial) if serial else None
        taken = self.finder.by_address.get(place) if place else None
        at_address = self.finder.devices.get(taken) if taken is not None else None
        if by_serial is not None:
            if at_address is not None and at_address.id != by_serial and place:
                self.report(
                    row,
                    "address",
                    "address_taken",
                    address=place[1],
                    zone=place[0],
                    device=at_address.name,
                    serial=at_address.serial or "-",
                )
            return self.finder.devices[by_serial]
        if at_address is not None and place:
            if serial and at_address.serial:
                self.report(
                    row,
                    "address",
                    "address_taken",
                    address=place[1],
                    zone=place[0],
                    device=at_address.name,
                    serial=at_address.serial,
                )
            return at_address
        if serial or place or isinstance(values.get("site_id"), New):
            return None
        same = self.finder.named_at(values["site_id"], values["name"])
        return self.finder.devices[same[0]] if len(same) == 1 and isinstance(same[0], int) else None

    def _check_taken(self, row: Row, values: dict[str, Any], place: tuple[str, str] | None) -> None:
        """A serial number or an address of a device that the importer does not see: that it is taken is all that he is told."""
        serial = values.get("serial")
        if serial and serial not in self.finder.by_serial and (serial,) in self.view.taken(Device, "serial"):
            self.report(row, "serial", "serial_elsewhere")
        if place and place not in self.finder.by_address:
            at = (self.view.zones[place[0]], place[1])
            if at in self.view.taken(Address, "zone_id", "ip"):
                self.report(row, "address", "address_elsewhere", address=place[1], zone=place[0])

    def _put(self, row: Row, values: dict[str, Any], place: tuple[str, str] | None, old: Any) -> None:
        if old is None:
            key: Id = New()
            if not values.get("name"):
                values["name"] = f"{values['kind']} {place[1] if place else values['serial']}"
            self.view.changes.append(Change(Device, key, {**values, "search": _search(values)}))
            changed = {}
            self.counts.created += 1
        else:
            key = old.id
            if not values.get("name"):
                values.pop("name", None)
            changed = difference(old, values)
            if changed:
                merged = {
                    name: getattr(old, name)
                    for name in ("name", "vendor", "model", "serial", "asset_tag", "chassis_mac")
                } | values
                before = {name: getattr(old, name) for name in changed}
                self.view.changes.append(Change(Device, key, {**changed, "search": _search(merged)}, before))
        moved = self._put_address(key, place, old)
        self.finder.add(
            key,
            values.get("site_id", old.site_id if old else None),
            values.get("name") or old.name,
            values.get("serial"),
            values.get("kind"),
        )
        self.placed.append((row, key))
        if old is not None:
            self.touched[key] = bool(changed) or moved

    def _put_address(self, key: Id, place: tuple[str, str] | None, old: Any) -> bool:
        if place is None:
            return False
        zone = self.view.zones[place[0]]
        values = {"zone_id": zone, "ip": place[1], "packed": pack(parse_address(place[1]))}
        had = self.finder.address_of.get(old.id) if old is not None else None
        if had is None:
            self.view.changes.append(Change(Address, New(), {**values, "device_id": key}))
            return True
        if (had.zone_id, had.ip) == (zone, place[1]):
            return False
        self.view.changes.append(Change(Address, had.id, values, {name: getattr(had, name) for name in values}))
        return True

    def _upstreams(self, row: Row, key: Id) -> None:
        if "upstream" not in row.values:
            return
        members: list[Id] = []
        for word in row.values["upstream"] or ():
            try:
                found = self.finder.find(word, self.finder.site_of(key))
                if found is key or found == key:
                    raise CellError("own_upstream")
                kind = self.finder.kind_of(found)
                if kind in EDGE_KINDS and self.finder.kind_of(key) not in EDGE_KINDS:
                    raise CellError("edge_upstream", kind=str(kind))
                members.append(found)
            except CellError as error:
                if error.code == "unknown_device" and word in self.refused:
                    continue  # a row of this file that is named as wrong itself
                self.report(row, "upstream", error.code, **error.params)
        members += self.finder.unseen_above(key)
        before = None if isinstance(key, New) else self.finder.declared.get(key, ())
        if not row.wrong and (before is None or set(members) != set(before)):
            self.view.members.append(Members(DeviceUpstream, "device_id", "upstream_id", key, tuple(members), before))
            if key in self.touched:
                self.touched[key] = True
        self.finder.upstreams[key] = tuple(members)

    def _check_loops(self) -> None:
        rows = {key: row for row, key in self.placed if "upstream" in row.values}
        for key, row in rows.items():
            loop = self.finder.loop_from(key)
            if loop:
                self.report(row, "upstream", "upstream_loop", loop=" → ".join(loop))


def _search(values: dict[str, Any]) -> str:
    return device_words(
        values["name"],
        values.get("vendor"),
        values.get("model"),
        values.get("serial"),
        values.get("asset_tag"),
        None,
        values.get("chassis_mac"),
    )


def _work(view: View, rows: list[Row], report: Report) -> Counts:
    return _Work(view, report).run(rows)


KIND = Kind("devices", "设备", COLUMNS, _work)
