"""Reference targets of a zone's collectors, as they are written: `10.0.0.1`, `tcp:10.0.0.1:53`, `tcp:[fd00::1]:53`, `gateway`."""

import re
from ipaddress import ip_address

GATEWAY = "gateway"

_TCP = re.compile(r"tcp:(?:\[([^\]]+)\]|([^:\[\]]+)):(\d{1,5})")

EXPECTED = "10.0.0.1 | tcp:10.0.0.1:53 | gateway"
"""What is accepted, language-free."""


def parse_reference(text: str) -> tuple[str, int] | None:
    """(address, port) of one; port 0: it is pinged. `gateway` as (GATEWAY, 0). None where it is no reference.

    Never a name: looking it up would need another thing to work.
    """
    if text == GATEWAY:
        return GATEWAY, 0
    found = _TCP.fullmatch(text)
    address, port = (found[1] or found[2], int(found[3])) if found else (text, 0)
    try:
        ip_address(address)
    except ValueError:
        return None
    return (address, port) if port < 65536 and (port or not found) else None
