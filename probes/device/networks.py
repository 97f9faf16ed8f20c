"""A device's VLANs (RFC 4363; CISCO-VTP-MIB) and IPv4 addresses (RFC 4293's older table, that all have)."""

from typing import Any

from probes.device.source import Tables, number_of, text_of
from probes.snmp.oids import parse_oid

VLAN_STATIC_NAME = parse_oid("1.3.6.1.2.1.17.7.1.4.3.1.1")
VTP_VLAN_NAME = parse_oid("1.3.6.1.4.1.9.9.46.1.3.1.1.4")
ADDRESS_IF_INDEX, ADDRESS_MASK = parse_oid("1.3.6.1.2.1.4.20.1.2"), parse_oid("1.3.6.1.2.1.4.20.1.3")


def read_vlans(tables: Tables) -> list[dict[str, Any]]:
    """id and name of each VLAN, by id."""
    tables.fetch([VLAN_STATIC_NAME, VTP_VLAN_NAME], what="VLANs")
    vlans: dict[int, str] = {}
    for column in (VTP_VLAN_NAME, VLAN_STATIC_NAME):
        for index, value in tables.column(column).items():
            if index and 1 <= index[-1] <= 4094:
                vlans[index[-1]] = (text_of(value) or "").strip()
    return [{"id": number, "name": vlans[number]} for number in sorted(vlans)]


def read_ipv4(tables: Tables) -> list[dict[str, Any]]:
    """address, prefix (length) and ifIndex of each row of ipAddrTable."""
    tables.fetch([ADDRESS_IF_INDEX, ADDRESS_MASK], what="addresses")
    found = []
    for index, value in sorted(tables.column(ADDRESS_IF_INDEX).items()):
        if_index = number_of(value)
        if len(index) != 4 or if_index is None or max(index) > 255:
            continue
        item: dict[str, Any] = {"address": ".".join(map(str, index))}
        mask = tables.column(ADDRESS_MASK).get(index)
        if mask is not None and isinstance(mask.data, bytes) and len(mask.data) == 4:
            item["prefix"] = int.from_bytes(mask.data, "big").bit_count()
        found.append(item | {"ifIndex": if_index})
    return found
