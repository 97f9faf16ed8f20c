"""How each line can be judged beside the port that it ends on: its addresses, and the gateways that tell by which line they send. Pure."""

from collections import defaultdict
from dataclasses import dataclass, field

from collector.rows import LineRow, PrefixRow, Rows
from collector.targets import LineEnd, Targets
from inventory.lookup import pack, parse_address
from inventory.models.devices import DeviceKind


@dataclass(frozen=True)
class LineWays:
    """worded: line -> the school's gateway by whose state its word is read (None: nobody knows), of lines with a word of their own.

    ways: gateway -> its lines, two at least. ports: (device, ifName) -> the line that ends there, of those lines.
    """

    worded: dict[int, int | None] = field(default_factory=dict)
    ways: dict[int, tuple[int, ...]] = field(default_factory=dict)
    ports: dict[tuple[str, str], int] = field(default_factory=dict)
    backups: dict[int, bool] = field(default_factory=dict)
    ranges: tuple[PrefixRow, ...] = ()

    def holds(self, line: int, address: str) -> bool:
        """Whether an address lies in a range that the line was given."""
        packed = pack(parse_address(address))
        return any(row.line_id == line and row.first <= packed <= row.last for row in self.ranges)


def find_lineways(rows: Rows, targets: Targets) -> LineWays:
    """Of one plan."""
    able = {device for device, c in zip(targets.device_id.tolist(), targets.credential.tolist(), strict=True) if c >= 0}
    lines = {line.id: line for line in rows.lines}
    gateways, serving = defaultdict(list), defaultdict(list)  # type: ignore[var-annotated]
    for device in rows.devices:
        if device.kind == DeviceKind.gateway:
            gateways[device.site_id].append(device.id)
    for line, site in rows.served:
        if line in lines:
            serving[site].append(line)
    ways = {
        gateway: tuple(serving[site])
        for site, of in gateways.items()
        if len(serving[site]) > 1
        for gateway in of
        if gateway in able
    }
    of_line = {line: gateway for gateway, mine in reversed(ways.items()) for line in mine}
    worded: dict[int, int | None] = {}
    for row in rows.lines:
        if row.near_address or row.far_address or row.id in of_line:
            worded[row.id] = of_line.get(row.id) or _gateway(row, rows, gateways)
    return LineWays(
        worded=worded,
        ways=ways,
        ports={
            (f"device:{device}", port): row.id
            for row in rows.lines
            if row.id in worded
            for device, port in ((row.far_device_id, row.far_port), (row.end_device_id, row.end_port))
            if device is not None and port
        },
        backups={line: lines[line].role == "backup" for line in worded},
        ranges=tuple(row for row in rows.prefixes if row.line_id in worded),
    )


def _gateway(line: LineRow, rows: Rows, gateways: dict[int, list[int]]) -> int | None:
    """The gateway at the school's end of a line: as declared, else the only one of the sites that it serves."""
    if line.end_device_id is not None:
        return line.end_device_id
    found = [gateway for of, site in rows.served if of == line.id for gateway in gateways.get(site, ())]
    return found[0] if len(found) == 1 else None


def line_ends(rows: Rows, targets: Targets, addresses: dict[int, tuple[int, str]]) -> tuple[LineEnd, ...]:
    """The addresses of lines, in the zone of the device that the line ends on, or of one at a site that it serves."""
    zone_index = {zone.id: index for index, zone in enumerate(targets.zones)}
    of_site: dict[int, int] = {}
    for device in rows.devices:
        if device.id in addresses:
            of_site.setdefault(device.site_id, addresses[device.id][0])
    served: dict[int, list[int]] = defaultdict(list)
    for line, site in rows.served:
        served[line].append(site)
    found = []
    for row in rows.lines:
        zone = addresses[row.end_device_id][0] if row.end_device_id in addresses else None
        zone = zone or next((of_site[site] for site in served[row.id] if site in of_site), None)
        for near, address in ((True, row.near_address), (False, row.far_address)):
            if address and zone is not None:
                found.append(LineEnd(row.id, near, address, zone_index[zone]))
    return tuple(found)
