"""Object identifiers: reading, writing, and the few that every device has."""

from functools import lru_cache

from probes.snmp.ber import Oid


@lru_cache(maxsize=8192)
def parse_oid(text: str) -> Oid:
    """`1.3.6.1.2.1.1.3.0` (a leading dot is allowed) as a tuple. ValueError where it is none."""
    numbers = tuple(int(part) for part in text.strip().lstrip(".").split("."))
    if any(not 0 <= number <= 0xFFFFFFFF for number in numbers):
        raise ValueError(f"no object identifier: {text!r}")
    return numbers


def format_oid(oid: Oid) -> str:
    """A tuple as dotted numbers, without a leading dot."""
    return ".".join(map(str, oid))


SYS_DESCR = parse_oid("1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID = parse_oid("1.3.6.1.2.1.1.2.0")
SYS_UPTIME = parse_oid("1.3.6.1.2.1.1.3.0")
SYS_CONTACT = parse_oid("1.3.6.1.2.1.1.4.0")
SYS_NAME = parse_oid("1.3.6.1.2.1.1.5.0")
SYS_LOCATION = parse_oid("1.3.6.1.2.1.1.6.0")
ENTERPRISES = parse_oid("1.3.6.1.4.1")
SNMP_ENGINE_ID = parse_oid("1.3.6.1.6.3.10.2.1.1.0")

IF_COLUMNS: tuple[tuple[str, str], ...] = (
    ("ifAdminStatus", "1.3.6.1.2.1.2.2.1.7"),
    ("ifOperStatus", "1.3.6.1.2.1.2.2.1.8"),
    ("ifHCInOctets", "1.3.6.1.2.1.31.1.1.1.6"),
    ("ifHCOutOctets", "1.3.6.1.2.1.31.1.1.1.10"),
    ("ifInErrors", "1.3.6.1.2.1.2.2.1.14"),
    ("ifOutErrors", "1.3.6.1.2.1.2.2.1.20"),
    ("ifInDiscards", "1.3.6.1.2.1.2.2.1.13"),
    ("ifOutDiscards", "1.3.6.1.2.1.2.2.1.19"),
    ("ifHighSpeed", "1.3.6.1.2.1.31.1.1.1.15"),
)
"""What is kept of each port (RFC 2863), in the order of `SnmpReadings.columns`. ifHighSpeed is in Mbit/s."""

IF_COLUMN_NAMES = tuple(name for name, _ in IF_COLUMNS)
