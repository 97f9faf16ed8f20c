"""Who stands at the other end of a port: LLDP (IEEE 802.1AB, LLDP-MIB) and CDP (CISCO-CDP-MIB)."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from probes.device.ports import BASE_PORT_IF_INDEX, IF_DESCR, IF_NAME
from probes.device.rows import port_name
from probes.device.source import Tables, number_of, text_of
from probes.snmp.ber import Oid, Value
from probes.snmp.oids import parse_oid
from probes.snmp.text import decode_mac, is_printable

LLDP_REMOTE = parse_oid("1.0.8802.1.1.2.1.4.1.1")
LLDP_LOCAL_PORT = parse_oid("1.0.8802.1.1.2.1.3.7.1")
CDP_CACHE = parse_oid("1.3.6.1.4.1.9.9.23.1.2.1.1")

CHASSIS_SUBTYPE, CHASSIS_ID, PORT_SUBTYPE, PORT_ID, PORT_DESCR, SYS_NAME, SYS_DESCR = (
    (*LLDP_REMOTE, number) for number in (4, 5, 6, 7, 8, 9, 10)
)
LLDP_MAN_ADDRESS = parse_oid("1.0.8802.1.1.2.1.4.2.1.3")
"""lldpRemManAddrIfSubtype: its index holds the address (LLDP-MIB, lldpRemManAddrTable)."""

LOCAL_SUBTYPE, LOCAL_ID, LOCAL_DESCR = ((*LLDP_LOCAL_PORT, number) for number in (2, 3, 4))
CDP_VERSION, CDP_DEVICE, CDP_PORT, CDP_PLATFORM = ((*CDP_CACHE, number) for number in (5, 6, 7, 8))

SUBTYPE_MAC = {"chassis": 4, "port": 3}


def read_neighbours(tables: Tables, own: Mapping[str, Oid] | None = None) -> list[dict[str, Any]]:
    """protocol, local_ifIndex, local_ifName, local_ifDescr, remote_name, remote_chassis, remote_port, remote_port_descr, remote_platform,
    remote_version, remote_address (an IP address by which the neighbour is managed); what the neighbour does not say is absent.

    `own`: columns of a vendor's table that stands for LLDP-MIB where that is empty (port, chassis, port_descr, name, descr); its
    index begins with the ifIndex.
    """
    tables.fetch([PORT_ID, CDP_DEVICE, *(own or {}).values()], what="neighbours")
    return [*(_read_lldp(tables) or _read_own(tables, own or {})), *_read_cdp(tables)]


OWN_FIELDS = {
    "name": "remote_name", "chassis": "remote_chassis", "port": "remote_port", "port_descr": "remote_port_descr",
    "descr": "remote_version",
}  # fmt: skip


def _read_own(tables: Tables, own: Mapping[str, Oid]) -> list[dict[str, Any]]:
    found = []
    for index in sorted(tables.column(own["port"])) if "port" in own else []:
        item: dict[str, Any] = {"protocol": "lldp"} | _local(tables, index[0])
        for key, column in own.items():
            text = (text_of(tables.column(column).get(index)) or "").strip()
            if text:
                item[OWN_FIELDS[key]] = decode_mac(text.encode()) or text if key == "chassis" else text
        found.append(item)
    return found


def _read_lldp(tables: Tables) -> list[dict[str, Any]]:
    rows = tables.column(PORT_ID)
    if not rows:
        return []
    tables.fetch([CHASSIS_SUBTYPE, CHASSIS_ID, PORT_SUBTYPE, PORT_DESCR, SYS_NAME, SYS_DESCR], what="neighbours")
    tables.fetch([LOCAL_SUBTYPE, LOCAL_ID, LOCAL_DESCR], what="neighbours")
    local_ports, managed = _local_ports(tables), _management_addresses(tables)
    found = []
    for index, port_id in sorted(rows.items()):
        if len(index) != 3:  # lldpRemTimeMark, lldpRemLocalPortNum, lldpRemIndex
            continue
        item: dict[str, Any] = {"protocol": "lldp"} | _local(tables, local_ports.get(index[1], index[1]))
        chassis = tables.column(CHASSIS_ID).get(index)
        said = {
            "remote_address": managed.get(index),
            "remote_name": text_of(tables.column(SYS_NAME).get(index)),
            "remote_chassis": _identifier(chassis, tables.column(CHASSIS_SUBTYPE).get(index), SUBTYPE_MAC["chassis"]),
            "remote_port": _identifier(port_id, tables.column(PORT_SUBTYPE).get(index), SUBTYPE_MAC["port"]),
            "remote_port_descr": text_of(tables.column(PORT_DESCR).get(index)),
            "remote_version": text_of(tables.column(SYS_DESCR).get(index)),
        }
        found.append(item | {key: text.strip() for key, text in said.items() if text and text.strip()})
    return found


def _management_addresses(tables: Tables) -> dict[tuple[int, ...], str]:
    """(time mark, local port, neighbour) -> its first IP address: after those three the index has subtype, length and octets of one."""
    tables.fetch([LLDP_MAN_ADDRESS], what="neighbours")
    found: dict[tuple[int, ...], str] = {}
    for index in sorted(tables.column(LLDP_MAN_ADDRESS)):
        octets = index[5:]
        if (
            len(index) > 5
            and index[4] == len(octets)
            and (index[3], len(octets)) in ((1, 4), (2, 16))
            and max(octets) < 256
        ):
            found.setdefault(index[:3], str(ip_address(bytes(octets))))
    return found


def _local_ports(tables: Tables) -> dict[int, int]:
    """lldpLocPortNum → ifIndex: by the port's name where its id or description is one, else by the bridge's port numbers."""
    by_name: dict[str, int] = {}
    for column in (IF_DESCR, IF_NAME):
        for index, value in tables.column(column).items():
            name = text_of(value)
            if name and len(index) == 1:
                by_name[name] = index[0]
    base = {index[0]: number_of(value) for index, value in tables.column(BASE_PORT_IF_INDEX).items() if len(index) == 1}
    known = {index[0] for index in tables.column(IF_DESCR)}
    ports: dict[int, int] = {}
    for index, value in tables.column(LOCAL_ID).items():
        if len(index) != 1:
            continue
        names = [text_of(value), text_of(tables.column(LOCAL_DESCR).get(index))]
        named = next((by_name[name] for name in names if name and name in by_name), None)
        fallback = index[0] if index[0] in known else base.get(index[0])
        chosen = named if named is not None else fallback
        if chosen is not None:
            ports[index[0]] = chosen
    for number, if_index in base.items():
        if number not in ports and number not in known and if_index:
            ports[number] = if_index
    return ports


def _local(tables: Tables, if_index: int) -> dict[str, Any]:
    item: dict[str, Any] = {"local_ifIndex": if_index, "local_ifName": port_name(tables, if_index)}
    descr = text_of(tables.column(IF_DESCR).get((if_index,)))
    return item | ({"local_ifDescr": descr} if descr else {})


def _identifier(value: Value | None, subtype: Value | None, mac_subtype: int) -> str | None:
    """A chassis or port id: a MAC as 12 hex digits, else text; octets that are neither, as hex."""
    if value is None or not isinstance(value.data, bytes):
        return None
    if number_of(subtype) == mac_subtype:
        return decode_mac(value.data) or value.data.hex()
    if len(value.data) == 6 and not is_printable(value.data):
        return value.data.hex()
    return text_of(value)


def _read_cdp(tables: Tables) -> list[dict[str, Any]]:
    rows = tables.column(CDP_DEVICE)
    if not rows:
        return []
    tables.fetch([CDP_VERSION, CDP_PORT, CDP_PLATFORM], what="neighbours")
    found = []
    for index, device in sorted(rows.items()):
        if len(index) != 2:  # cdpCacheIfIndex, cdpCacheDeviceIndex
            continue
        item: dict[str, Any] = {"protocol": "cdp"} | _local(tables, index[0])
        said = {
            "remote_name": _cdp_name(device),
            "remote_port": text_of(tables.column(CDP_PORT).get(index)),
            "remote_platform": text_of(tables.column(CDP_PLATFORM).get(index)),
            "remote_version": text_of(tables.column(CDP_VERSION).get(index)),
        }
        found.append(item | {key: text.strip() for key, text in said.items() if text and text.strip()})
    return found


def _cdp_name(value: Value) -> str | None:
    """cdpCacheDeviceId: mostly a name, from some devices six octets of a MAC."""
    if isinstance(value.data, bytes) and len(value.data) == 6 and not is_printable(value.data):
        return value.data.hex()
    return text_of(value)
