"""The register of the lab's network (lab.py): four schools, a router as core, six lines, a dozen hosts.

The lines of schools A to C end on ports of the router; of those of school D nobody knows the port, but the addresses of both ends.
"""

from ipaddress import ip_address

from lab import HOSTS_OF_A_SCHOOL, SCHOOLS
from sqlmodel import select

from inventory.credentials import Secret, new_credential
from inventory.database import Register, raise_version
from inventory.lookup import pack
from inventory.models import (
    Address,
    Device,
    DeviceKind,
    Line,
    LineSite,
    Region,
    School,
    SchoolLevel,
    Site,
    SiteKind,
    Watch,
    Zone,
)
from inventory.regions import load_regions

KINDS = (DeviceKind.switch, DeviceKind.ap, DeviceKind.camera)


def fill(register: Register) -> dict[str, int]:
    """Fill an empty register; ids by name (`school A`, `lineA`, `gwA`, `router`)."""
    ids: dict[str, int] = {}
    with register.session() as session:
        load_regions(session)
        session.flush()
        county = session.exec(select(Region).where(Region.code == "140105")).one()
        zone = Zone(name="lab", default=True, references="10.0.0.1")
        session.add(zone)
        session.flush()
        assert zone.id
        assert county.id

        def add(row: object, name: str) -> int:
            session.add(row)
            session.flush()
            number = row.id  # type: ignore[attr-defined]  # every table has one
            ids[name] = number
            return int(number)

        def device(name: str, kind: DeviceKind, site: int, ip: str) -> int:
            # Only the router and gateway D have agents; whoever has none is not asked for it, so that a reading takes no time.
            watch = Watch.any if kind == DeviceKind.core or name == "gwD" else Watch.icmp
            number = add(Device(name=name, kind=kind, site_id=site, watch=watch), name)
            session.add(Address(zone_id=zone.id or 0, ip=ip, packed=pack(ip_address(ip)), device_id=number))
            return number

        assert register.sealer
        session.add(new_credential("lab", "2c", Secret(community="public"), register.sealer, zone_id=zone.id))
        core = add(Site(name="核心机房", kind=SiteKind.datacentre, tier="core", place_id=county.id), "core site")
        router = device("router", DeviceKind.core, core, "10.0.0.2")
        for name, (number, lines) in SCHOOLS.items():
            school = add(
                School(
                    name=f"学校{name}",
                    code=f"211400000{number}",
                    level=SchoolLevel.primary,
                    place_id=county.id,
                    pupils=100 * number,
                ),
                f"school {name}",
            )
            campus = add(
                Site(name=f"学校{name}校区", kind=SiteKind.campus, school_id=school, place_id=county.id),
                f"campus {name}",
            )
            for place, line in enumerate(lines):
                row = Line(
                    name=line,
                    operator="unicom",
                    role="backup" if place else "primary",
                    upstream_site_id=core,
                    far_device_id=None if name == "D" else router,
                    far_port=None if name == "D" else line,
                )
                if name == "D":
                    row.near_address, row.far_address = (f"10.{number}.{100 + place}.{end}" for end in (2, 1))
                session.add(LineSite(line_id=add(row, line), site_id=campus))
            device(f"gw{name}", DeviceKind.gateway, campus, f"10.{number}.0.1")
            for host in range(HOSTS_OF_A_SCHOOL):
                device(f"h{name}{host}", KINDS[host % len(KINDS)], campus, f"10.{number}.0.{11 + host}")
        raise_version(session)
        session.commit()
    return ids
