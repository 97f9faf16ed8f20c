"""A device's ports: IF-MIB (RFC 2863), duplex (RFC 3635), the port's VLAN (RFC 4363)."""

from collections.abc import Iterator
from typing import Any

from probes.device.names import ADMIN_STATUS, DUPLEX, IF_TYPES, OPER_STATUS
from probes.device.source import Tables, number_of, text_of
from probes.snmp.ber import Oid
from probes.snmp.oids import parse_oid
from probes.snmp.text import decode_mac

IF_ENTRY = parse_oid("1.3.6.1.2.1.2.2.1")
IFX_ENTRY = parse_oid("1.3.6.1.2.1.31.1.1.1")

IF_DESCR, IF_TYPE, IF_MTU, IF_SPEED, IF_PHYS, IF_ADMIN, IF_OPER, IF_LAST_CHANGE = (
    (*IF_ENTRY, number) for number in (2, 3, 4, 5, 6, 7, 8, 9)
)
IF_NAME, IF_HIGH_SPEED, IF_ALIAS = (*IFX_ENTRY, 1), (*IFX_ENTRY, 15), (*IFX_ENTRY, 18)
DOT3_DUPLEX = parse_oid("1.3.6.1.2.1.10.7.2.1.19")
BASE_PORT_IF_INDEX = parse_oid("1.3.6.1.2.1.17.1.4.1.2")
PVID = parse_oid("1.3.6.1.2.1.17.7.1.4.5.1.1")

COUNTERS: dict[str, Oid] = {
    "ifInOctets": (*IF_ENTRY, 10),
    "ifInUcastPkts": (*IF_ENTRY, 11),
    "ifInDiscards": (*IF_ENTRY, 13),
    "ifInErrors": (*IF_ENTRY, 14),
    "ifInUnknownProtos": (*IF_ENTRY, 15),
    "ifOutOctets": (*IF_ENTRY, 16),
    "ifOutUcastPkts": (*IF_ENTRY, 17),
    "ifOutDiscards": (*IF_ENTRY, 19),
    "ifOutErrors": (*IF_ENTRY, 20),
    "ifInMulticastPkts": (*IFX_ENTRY, 2),
    "ifInBroadcastPkts": (*IFX_ENTRY, 3),
    "ifOutMulticastPkts": (*IFX_ENTRY, 4),
    "ifOutBroadcastPkts": (*IFX_ENTRY, 5),
    "ifHCInOctets": (*IFX_ENTRY, 6),
    "ifHCInUcastPkts": (*IFX_ENTRY, 7),
    "ifHCInMulticastPkts": (*IFX_ENTRY, 8),
    "ifHCInBroadcastPkts": (*IFX_ENTRY, 9),
    "ifHCOutOctets": (*IFX_ENTRY, 10),
    "ifHCOutUcastPkts": (*IFX_ENTRY, 11),
    "ifHCOutMulticastPkts": (*IFX_ENTRY, 12),
    "ifHCOutBroadcastPkts": (*IFX_ENTRY, 13),
}
"""Each counter's column. A counter that the device does not send stays absent; absent is not zero."""

COLUMNS: tuple[Oid, ...] = (
    IF_DESCR, IF_TYPE, IF_MTU, IF_SPEED, IF_PHYS, IF_ADMIN, IF_OPER, IF_LAST_CHANGE, IF_NAME, IF_HIGH_SPEED, IF_ALIAS,
    *COUNTERS.values(),
)  # fmt: skip


WIDE_OF = {COUNTERS[name]: COUNTERS[wide] for name in COUNTERS if (wide := name.replace("if", "ifHC", 1)) in COUNTERS}
"""32-bit counters and the 64-bit ones that say the same."""


def read_ports(tables: Tables) -> list[dict[str, Any]]:
    """All rows of ifTable, by ifIndex; rows of ifXTable alone only where the device has no ifTable at all.

    A 32-bit counter is asked for only where its 64-bit one lacks a port: a quarter of what slow devices would have to say.
    """
    tables.fetch([column for column in COLUMNS if column not in WIDE_OF], what="ports")
    known = tables.column(IF_DESCR).keys() | tables.column(IF_OPER).keys() | tables.column(IF_NAME).keys()
    needed = [narrow for narrow, wide in WIDE_OF.items() if not known or known - tables.column(wide).keys()]
    tables.fetch(needed, what="ports")
    tables.pass_over(WIDE_OF)
    tables.fetch([DOT3_DUPLEX, PVID, BASE_PORT_IF_INDEX], what="port details")
    rows = {index for column in (IF_DESCR, IF_TYPE, IF_OPER) for index in tables.column(column) if len(index) == 1}
    if not rows:
        rows = {index for index in tables.column(IF_NAME) if len(index) == 1}
    vlans = read_port_vlans(tables)
    return [_read_port(tables, index, vlans) for index in sorted(rows)]


def _read_port(tables: Tables, index: Oid, vlans: dict[int, int]) -> dict[str, Any]:
    port: dict[str, Any] = {"ifIndex": index[0]}
    port.update(_texts(tables, index))
    for field, column, names in (
        ("ifType", IF_TYPE, IF_TYPES),
        ("ifAdminStatus", IF_ADMIN, ADMIN_STATUS),
        ("ifOperStatus", IF_OPER, OPER_STATUS),
        ("ifDuplex", DOT3_DUPLEX, DUPLEX),
    ):
        number = number_of(tables.column(column).get(index))
        if number is not None:
            port[field] = names.get(number, str(number))
    for field, column in (("ifMtu", IF_MTU), ("ifLastChange", IF_LAST_CHANGE), *COUNTERS.items()):
        number = number_of(tables.column(column).get(index))
        if number is not None:
            port[field] = number
    port.update(_speed(tables, index))
    if index[0] in vlans:
        port["ifVlan"] = str(vlans[index[0]])
    return port


def _texts(tables: Tables, index: Oid) -> Iterator[tuple[str, str]]:
    for field, column in (("ifDescr", IF_DESCR), ("ifName", IF_NAME), ("ifAlias", IF_ALIAS)):
        text = text_of(tables.column(column).get(index))
        if text is not None:
            yield field, text
    address = tables.column(IF_PHYS).get(index)
    if address is not None and isinstance(address.data, bytes):
        mac = decode_mac(address.data)
        if mac is not None:
            yield "ifPhysAddress", mac


def _speed(tables: Tables, index: Oid) -> Iterator[tuple[str, int]]:
    """ifSpeed in bit/s: ifHighSpeed (Mbit/s) where the device fills it, for ifSpeed ends at 4.29 Gbit/s; ifHighSpeed as sent."""
    plain = number_of(tables.column(IF_SPEED).get(index))
    high = number_of(tables.column(IF_HIGH_SPEED).get(index))
    if high:
        yield "ifSpeed", high * 1_000_000
    elif plain is not None:
        yield "ifSpeed", plain
    if high is not None:
        yield "ifHighSpeed", high


def read_port_vlans(tables: Tables) -> dict[int, int]:
    """ifIndex → the port's untagged VLAN (dot1qPvid, by way of the bridge's port numbers)."""
    base = tables.column(BASE_PORT_IF_INDEX)
    vlans = {}
    for index, value in tables.column(PVID).items():
        vlan, if_index = number_of(value), number_of(base.get(index))
        if if_index is None and not base and len(index) == 1:
            if_index = index[0]
        if vlan and if_index:
            vlans[if_index] = vlan
    return vlans
