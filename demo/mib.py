"""Which objects the demonstration's agents have, by model: rows of (name, how the value is made, argument).

system (RFC 3418), IF-MIB (RFC 2863), ENTITY-MIB (RFC 6933), LLDP-MIB (IEEE 802.1AB), UPS-MIB (RFC 1628), ENTITY-SENSOR-MIB
(RFC 3433), HOST-RESOURCES-MIB (RFC 2790), and of the vendors CPU, memory and temperature where their own MIBs keep them.
"""

from collections.abc import Callable
from functools import lru_cache

from demo.agents import Agent, Port
from demo.catalogue import Model
from demo.snmp import Table, Value, integer, oid, oid_body, text, tlv
from demo.traffic import mix

GAUGE, COUNTER32, TICKS, COUNTER64 = 0x42, 0x41, 0x43, 0x46

Row = tuple[tuple[int, ...], Value | None, int | bytes]

SYSTEM, INTERFACES, IF_TABLE, IF_X = (
    oid("1.3.6.1.2.1.1"),
    oid("1.3.6.1.2.1.2"),
    oid("1.3.6.1.2.1.2.2.1"),
    oid("1.3.6.1.2.1.31.1.1.1"),
)
ENTITY, SENSOR, UPS = oid("1.3.6.1.2.1.47.1.1.1.1"), oid("1.3.6.1.2.1.99.1.1.1"), oid("1.3.6.1.2.1.33.1")
LLDP = oid("1.0.8802.1.1.2.1")
ENGINE_ID = oid("1.3.6.1.6.3.10.2.1.1.0")


def table_for(agent: Agent) -> Table:
    """The table of an agent; agents of the same model and neighbours share it."""
    return _table(agent.model, tuple(neighbour.port for neighbour in agent.neighbours))


@lru_cache(maxsize=512)
def _table(model: Model, neighbours: tuple[int, ...]) -> Table:
    rows = _system(model) + _interfaces(model) + _entity(model) + _vendor(model) + _lldp(model, neighbours)
    return Table(rows)


def _system(model: Model) -> list[Row]:
    return [
        ((*SYSTEM, 1, 0), None, text(model.descr)),
        ((*SYSTEM, 2, 0), None, tlv(0x06, oid_body(oid(model.object_id)))),
        ((*SYSTEM, 3, 0), lambda a, _: integer(a.uptime, TICKS), 0),
        ((*SYSTEM, 4, 0), None, text("demo")),
        ((*SYSTEM, 5, 0), lambda a, _: text(a.unit.sys_name), 0),
        ((*SYSTEM, 6, 0), lambda a, _: text(a.site), 0),
        ((*SYSTEM, 7, 0), None, integer(6 if model.kind in ("core", "aggregation", "gateway") else 2)),
        (ENGINE_ID, lambda a, _: tlv(0x04, engine_id(a.unit.address)), 0),
    ]


def engine_id(address: int) -> bytes:
    """snmpEngineID of an agent (RFC 3411: enterprise number with the first bit set, 1, the IPv4 address)."""
    return bytes.fromhex("80001f8801") + address.to_bytes(4, "big")


def _octets(port: Port, agent: Agent, outwards: bool) -> int:
    return port.base + int((port.rate_out if outwards else port.rate_in) * port.seconds(agent.clock))


def _up(port: Port) -> bool:
    return port.up and port.stopped is None


def _counter(outwards: bool, share: float, tag: int) -> Value:
    """A counter that moves with the octets: octets × share."""
    mask = 0xFFFFFFFF if tag == COUNTER32 else 0xFFFFFFFFFFFFFFFF

    def make(agent: Agent, n: int) -> bytes:
        value = _octets(agent.ports[n], agent, outwards)
        return integer((value if share == 1 else int(value * share)) & mask, tag)

    return make


def _errors(discards: bool, outwards: bool) -> Value:
    def make(agent: Agent, n: int) -> bytes:
        port = agent.ports[n]
        moving = _octets(port, agent, outwards) * port.errors * (2 if discards else 1)
        return integer((int(moving) + mix(agent.unit.address + n) % 40) & 0xFFFFFFFF, COUNTER32)

    return make


def _per_port(make: Callable[[Agent, Port], bytes]) -> Value:
    return lambda agent, n: make(agent, agent.ports[n])


def _mac(agent: Agent, n: int) -> bytes:
    return tlv(0x04, (int(agent.unit.mac or "0", 16) + (n + 1 << 40)).to_bytes(7, "big")[-6:])


def _interfaces(model: Model) -> list[Row]:
    name = _per_port(lambda a, p: text(p.name))
    if_columns: dict[int, Value] = {
        1: lambda a, n: integer(n + 1),
        2: name,
        3: lambda a, n: b"\x02\x01\x06",
        4: lambda a, n: integer(1500),
        5: _per_port(lambda a, p: integer(min(p.speed_mbps * 1_000_000, 0xFFFFFFFF), GAUGE)),
        6: _mac,
        7: lambda a, n: b"\x02\x01\x01",
        8: _per_port(lambda a, p: b"\x02\x01\x01" if _up(p) else b"\x02\x01\x02"),
        9: lambda a, n: integer(mix(a.unit.address + n) % 30000, TICKS),
        10: _counter(False, 1, COUNTER32),
        11: _counter(False, 1 / 900, COUNTER32),
        13: _errors(discards=True, outwards=False),
        14: _errors(discards=False, outwards=False),
        16: _counter(True, 1, COUNTER32),
        17: _counter(True, 1 / 700, COUNTER32),
        19: _errors(discards=True, outwards=True),
        20: _errors(discards=False, outwards=True),
    }
    x_columns: dict[int, Value] = {
        1: name,
        2: _counter(False, 1 / 90000, COUNTER32),
        3: _counter(False, 1 / 180000, COUNTER32),
        6: _counter(False, 1, COUNTER64),
        7: _counter(False, 1 / 900, COUNTER64),
        10: _counter(True, 1, COUNTER64),
        11: _counter(True, 1 / 700, COUNTER64),
        15: _per_port(lambda a, p: integer(p.speed_mbps, GAUGE)),
        17: lambda a, n: b"\x02\x01\x01",
        18: _per_port(lambda a, p: text(p.alias)),
    }
    rows: list[Row] = [((*INTERFACES, 1, 0), None, integer(model.ports))]
    for prefix, columns in ((IF_TABLE, if_columns), (IF_X, x_columns)):
        for column, make in columns.items():
            rows += [((*prefix, column, n + 1), make, n) for n in range(model.ports)]
    return rows


def _entity(model: Model) -> list[Row]:
    return [
        ((*ENTITY, 2, 1), None, text(f"{model.vendor} {model.name}")),
        ((*ENTITY, 3, 1), None, tlv(0x06, oid_body(oid(model.object_id)))),
        ((*ENTITY, 4, 1), None, integer(0)),
        ((*ENTITY, 5, 1), None, integer(3)),
        ((*ENTITY, 6, 1), None, integer(-1)),
        ((*ENTITY, 7, 1), None, text(model.name)),
        ((*ENTITY, 8, 1), None, text("VER.A")),
        ((*ENTITY, 9, 1), None, text(model.version)),
        ((*ENTITY, 10, 1), None, text(model.version)),
        ((*ENTITY, 11, 1), lambda a, _: text(a.unit.serial), 0),
        ((*ENTITY, 12, 1), None, text(model.vendor)),
        ((*ENTITY, 13, 1), None, text(model.name)),
    ]


def _cpu(agent: Agent, _: int) -> bytes:
    return integer(agent.cpu)


def _memory(agent: Agent, _: int) -> bytes:
    return integer(agent.memory)


def _temperature(agent: Agent, _: int) -> bytes:
    return integer(agent.temperature)


def _per_cent(what: Callable[[Agent], int]) -> Value:
    return lambda agent, _: text(f"{what(agent)} PERCENT")


def _vendor(model: Model) -> list[Row]:
    if model.kind == "ups":
        return _ups()
    if model.kind == "sensor":
        return _sensors()
    if model.kind == "server":
        return [(oid(f"1.3.6.1.2.1.25.3.3.1.2.{n}"), _cpu, 0) for n in (196608, 196609)]
    rows = _VENDORS.get((model.vendor, model.kind in ("camera", "recorder")))
    return rows(model) if rows else []


def _huawei(_: Model) -> list[Row]:
    base = oid("1.3.6.1.4.1.2011.5.25.31.1.1.1.1")
    return [
        ((*base, 5, 1), _cpu, 0),
        ((*base, 7, 1), _memory, 0),
        ((*base, 9, 1), None, integer(1_073_741_824, GAUGE)),
        ((*base, 11, 1), _temperature, 0),
        (oid("1.3.6.1.4.1.2011.5.25.188.1.1.0"), lambda a, _: text(a.unit.serial), 0),
    ]


def _h3c(_: Model) -> list[Row]:
    base = oid("1.3.6.1.4.1.25506.2.6.1.1.1.1")
    return [
        ((*base, 6, 1), _cpu, 0),
        ((*base, 8, 1), _memory, 0),
        ((*base, 10, 1), None, integer(1_073_741_824, GAUGE)),
        ((*base, 12, 1), _temperature, 0),
    ]


def _ruijie(_: Model) -> list[Row]:
    base = oid("1.3.6.1.4.1.4881.1.1.10.2")
    return [
        *(((*base, 36, 1, 1, n, 0), _cpu, 0) for n in (1, 2, 3)),
        ((*base, 36, 1, 2, 1, 5, 1), _cpu, 0),
        ((*base, 35, 1, 1, 1, 3, 1), _memory, 0),
        ((*base, 1, 1, 44, 1, 5, 1), _temperature, 0),
        ((*base, 1, 1, 24, 0), lambda a, _: text(a.unit.serial), 0),
    ]


def _hikvision(model: Model) -> list[Row]:
    if model.kind == "recorder":
        return [
            (oid("1.3.6.1.4.1.50001.1.3.0"), lambda a, _: text(a.unit.serial), 0),
            (oid("1.3.6.1.4.1.50001.1.221.0"), _memory, 0),
        ]
    base = oid("1.3.6.1.4.1.39165.1")
    return [
        ((*base, 1, 0), None, text(model.name)),
        ((*base, 3, 0), None, text(model.version)),
        ((*base, 4, 0), lambda a, _: text(":".join(a.unit.mac[i : i + 2] for i in range(0, 12, 2))), 0),
        ((*base, 7, 0), _per_cent(lambda a: a.cpu), 0),
        ((*base, 10, 0), None, text("512 MB")),
        ((*base, 11, 0), _per_cent(lambda a: a.memory), 0),
    ]


def _dahua(model: Model) -> list[Row]:
    base = oid("1.3.6.1.4.1.1004849.2.1")
    return [
        ((*base, 1, 1, 1, 0), None, text(model.version)),
        ((*base, 2, 4, 0), lambda a, _: text(a.unit.serial), 0),
        ((*base, 2, 6, 0), None, text(model.name)),
        ((*base, 2, 8, 0), None, integer(1)),
        ((*base, 3, 0), _cpu, 0),
    ]


_VENDORS: dict[tuple[str, bool], Callable[[Model], list[Row]]] = {
    ("Huawei", False): _huawei,
    ("H3C", False): _h3c,
    ("Ruijie", False): _ruijie,
    ("Hikvision", True): _hikvision,
    ("Dahua", True): _dahua,
}


def _ups() -> list[Row]:
    return [
        ((*UPS, 1, 1, 0), lambda a, _: text(a.model.vendor), 0),
        ((*UPS, 1, 2, 0), lambda a, _: text(a.model.name), 0),
        ((*UPS, 2, 1, 0), None, integer(2)),
        ((*UPS, 2, 2, 0), lambda a, _: integer(int(a.on_battery_s)), 0),
        ((*UPS, 2, 3, 0), lambda a, _: integer((25 + mix(a.unit.address) % 40) * a.charge // 100), 0),
        ((*UPS, 2, 4, 0), lambda a, _: integer(a.charge), 0),
        ((*UPS, 2, 5, 0), None, integer(273)),
        ((*UPS, 2, 7, 0), _temperature, 0),
        ((*UPS, 3, 2, 0), None, integer(1)),
        ((*UPS, 3, 3, 1, 2, 1), None, integer(500)),
        ((*UPS, 3, 3, 1, 3, 1), lambda a, _: integer(0 if a.on_battery_s else 226 + mix(a.unit.address) % 10), 0),
        ((*UPS, 4, 1, 0), lambda a, _: integer(5 if a.on_battery_s else 3), 0),
        ((*UPS, 4, 2, 0), None, integer(500)),
        ((*UPS, 4, 3, 0), None, integer(1)),
        ((*UPS, 4, 4, 1, 2, 1), None, integer(220)),
        ((*UPS, 4, 4, 1, 5, 1), lambda a, _: integer(15 + a.cpu // 2), 0),
        ((*UPS, 6, 1, 0), None, integer(0, GAUGE)),
    ]


def _sensors() -> list[Row]:
    rows: list[Row] = []
    kinds: tuple[tuple[int, int, Value], ...] = (
        (101, 8, lambda a, _: integer(200 + mix(a.unit.address) % 60 + int(20 * a.clock.load))),
        (102, 9, lambda a, _: integer(350 + mix(a.unit.address ^ 9) % 200)),
        (103, 1, lambda a, _: integer(10 * a.co2)),
    )
    names = {8: "Temperature", 9: "Humidity", 1: "CO2"}
    for index, kind, make in kinds:
        rows += [
            ((*ENTITY, 2, index), None, text(names[kind])),
            ((*ENTITY, 4, index), None, integer(1)),
            ((*ENTITY, 5, index), None, integer(8)),
            ((*ENTITY, 6, index), None, integer(index - 100)),
            ((*ENTITY, 7, index), None, text(names[kind])),
            ((*SENSOR, 1, index), None, integer(kind)),
            ((*SENSOR, 2, index), None, integer(9)),
            ((*SENSOR, 3, index), None, integer(1)),
            ((*SENSOR, 4, index), make, 0),
            ((*SENSOR, 5, index), None, integer(1)),
            ((*SENSOR, 6, index), None, text({8: "Celsius", 9: "%RH", 1: "ppm"}[kind])),
        ]
    return rows


def _lldp(model: Model, neighbours: tuple[int, ...]) -> list[Row]:
    if not neighbours:
        return []
    rows: list[Row] = [
        ((*LLDP, 3, 1, 0), None, integer(4)),
        ((*LLDP, 3, 2, 0), lambda a, _: tlv(0x04, bytes.fromhex(a.unit.mac)), 0),
        ((*LLDP, 3, 3, 0), lambda a, _: text(a.unit.sys_name), 0),
    ]
    for n in range(model.ports):
        rows += [
            ((*LLDP, 3, 7, 1, 2, n + 1), None, integer(5)),
            ((*LLDP, 3, 7, 1, 3, n + 1), lambda a, n: text(a.ports[n].name), n),
            ((*LLDP, 3, 7, 1, 4, n + 1), lambda a, n: text(a.ports[n].name), n),
        ]
    for n, port in enumerate(neighbours):
        index = (0, port, n + 1)
        rows += [
            ((*LLDP, 4, 1, 1, 4, *index), None, integer(4)),
            ((*LLDP, 4, 1, 1, 5, *index), lambda a, n: tlv(0x04, bytes.fromhex(a.neighbours[n].mac)), n),
            ((*LLDP, 4, 1, 1, 6, *index), None, integer(5)),
            ((*LLDP, 4, 1, 1, 7, *index), lambda a, n: text(a.neighbours[n].port_name), n),
            ((*LLDP, 4, 1, 1, 8, *index), lambda a, n: text(a.neighbours[n].port_name), n),
            ((*LLDP, 4, 1, 1, 9, *index), lambda a, n: text(a.neighbours[n].sys_name), n),
            ((*LLDP, 4, 1, 1, 10, *index), lambda a, n: text(a.neighbours[n].descr), n),
        ]
    return rows
