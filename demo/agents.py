"""The demonstration's devices as their agents see themselves: ports with traffic, neighbours, health. One object for each device.

Agents are made at the first request that they get, from the network's wiring; what is cut freezes its ports' counters.
"""

import time
from dataclasses import dataclass, field

from demo.catalogue import MODELS, SWITCH_UPLINK, Model
from demo.network import Circuit, Network, Unit
from demo.traffic import full_load_seconds, load_now, mix

SLOW_MBPS = 10
"""What the slow line's port has negotiated, whatever the contract says."""


class Clock:
    """The time of one batch of answers: set once, read by every counter."""

    def __init__(self) -> None:
        self.now = self.full = self.load = 0.0
        self.set(time.time())

    def set(self, now: float) -> None:
        """now: seconds since the epoch."""
        self.now, self.full, self.load = now, full_load_seconds(now), load_now(now)


@dataclass(slots=True)
class Port:
    """A port. `rate_in`, `rate_out`: octets a second at full load; `stopped`: full-load seconds at which its line was cut."""

    name: str
    alias: str = ""
    up: bool = False
    speed_mbps: int = 1000
    rate_in: float = 0.0
    rate_out: float = 0.0
    base: int = 0
    errors: float = 0.0
    steady: bool = False
    stopped: float | None = None
    lost: float = 0.0

    def seconds(self, clock: Clock) -> float:
        """Seconds at full load that its counters have seen."""
        running = clock.now - 1_767_196_800 if self.steady else clock.full
        return (running if self.stopped is None else self.stopped) - self.lost

    def cut(self, clock: Clock) -> None:
        """The line on it fails: down, counters stand still."""
        if self.stopped is None:
            self.stopped = clock.now - 1_767_196_800 if self.steady else clock.full

    def mend(self, clock: Clock) -> None:
        """The line is back: counters go on from where they stood."""
        if self.stopped is not None:
            running = clock.now - 1_767_196_800 if self.steady else clock.full
            self.lost += running - self.stopped
            self.stopped = None


@dataclass(slots=True)
class Neighbour:
    """What LLDP tells of the other end of a port (`port`: number of the own one)."""

    port: int
    mac: str
    port_name: str
    sys_name: str
    descr: str


@dataclass(slots=True)
class Agent:
    """A device's agent: what the values of its table are made from."""

    unit: Unit
    model: Model
    clock: Clock
    site: str
    ports: list[Port]
    neighbours: list[Neighbour] = field(default_factory=list)
    battery_since: float | None = None
    """of a UPS: when its mains failed"""

    @property
    def uptime(self) -> int:
        """sysUpTime in hundredths of a second; the device has been up for 3 to 200 days at the time of writing."""
        boot = 1_767_196_800 - 86400 * (3 + mix(self.unit.address ^ 0x55) % 197)
        return int((self.clock.now - boot) * 100) & 0xFFFFFFFF

    @property
    def cpu(self) -> int:
        """Per cent, following the load."""
        return 4 + mix(self.unit.address ^ 1) % 12 + int(25 * self.clock.load)

    @property
    def memory(self) -> int:
        """Per cent in use."""
        return 30 + mix(self.unit.address ^ 2) % 35

    @property
    def temperature(self) -> int:
        """Degrees Celsius."""
        return 28 + mix(self.unit.address ^ 3) % 14 + int(4 * self.clock.load)

    @property
    def co2(self) -> int:
        """Parts per million in a classroom: with the load, for pupils breathe while they use the network; 420 outside."""
        return 430 + mix(self.unit.address ^ 4) % 250 + int(350 * self.clock.load)

    @property
    def on_battery_s(self) -> float:
        """Seconds since a UPS's mains failed; 0 on mains."""
        return 0.0 if self.battery_since is None else max(0.0, self.clock.now - self.battery_since)

    @property
    def charge(self) -> int:
        """Per cent of a UPS's battery: it lasts two hours, and 15 % of it are kept."""
        return max(15, 100 - int(self.on_battery_s / 72))


@dataclass(slots=True)
class Rates:
    """Octets a second at full load that a line carries, down to the school and up."""

    down: float
    up: float


class Fleet:
    """All agents of a network, made when first asked."""

    def __init__(self, network: Network, clock: Clock, slow: frozenset[int] = frozenset()) -> None:
        """slow: ids of lines that are saturated and whose ports have negotiated 10 Mbit/s."""
        self.network, self.clock, self.slow = network, clock, slow
        self._agents: dict[int, Agent] = {}
        self._rates = line_rates(network, slow)
        self._ends: dict[int, list[tuple[Circuit, bool]]] = {}
        for circuit in network.circuits.values():
            for end, is_far in ((circuit.end, False), (circuit.far, True)):
                if end:
                    self._ends.setdefault(end[0], []).append((circuit, is_far))
        self._below: dict[int, list[int]] = {}
        for unit, ups in sorted(network.upstreams.items()):
            for up in ups:
                self._below.setdefault(up, []).append(unit)
        self._models = {(m.vendor, m.name): m for models in MODELS.values() for m in models}
        self._dead: set[tuple[int, str]] = set()
        self._battery: frozenset[int] = frozenset()

    def agent(self, unit: int) -> Agent:
        """The agent of a device; KeyError where there is none."""
        known = self._agents.get(unit)
        if known is None:
            known = self._agents[unit] = self._make(self.network.units[unit])
        return known

    def set_dead_ports(self, dead: set[tuple[int, str]]) -> None:
        """Take down the ports at the ends of cut lines, and up again those that no longer are."""
        for unit, name in self._dead ^ dead:
            for port in self.agent(unit).ports:
                if port.name == name:
                    port.cut(self.clock) if (unit, name) in dead else port.mend(self.clock)
        self._dead = dead

    def set_battery(self, units: frozenset[int]) -> None:
        """The mains of exactly these UPS have failed."""
        for number in self._battery ^ units:
            if number in self.network.units:
                self.agent(number).battery_since = self.clock.now if number in units else None
        self._battery = units

    def _make(self, unit: Unit) -> Agent:
        model = self._models.get((unit.vendor, unit.model)) or MODELS.get(unit.kind, MODELS["server"])[0]
        ports = [self._plain_port(unit, model, n) for n in range(1, model.ports + 1)]
        agent = Agent(unit, model, self.clock, unit.name, ports)
        for circuit, is_far in self._ends.get(unit.id, ()):
            self._line_port(agent, circuit, is_far)
        self._neighbours(agent)
        return agent

    def _plain_port(self, unit: Unit, model: Model, number: int) -> Port:
        noise = mix(unit.address * 64 + number)
        one_port = model.ports <= 2 and number == 1
        up = one_port or (unit.kind == "switch" and noise % 10 < 6)
        speed = model.uplink_mbps if number > model.ports - 4 else model.speed_mbps
        peak = {"camera": 500_000, "recorder": 3_000_000, "ap": 2_500_000}.get(unit.kind, 4_000 + noise % 400_000)
        rate = float(peak) if up else 0.0
        if unit.kind in ("camera", "recorder"):  # pictures flow day and night
            return Port(
                model.port(number), "", up, speed, rate * 0.02, rate, noise % 10**9, steady=unit.kind == "camera"
            )
        return Port(model.port(number), "", up, speed, rate, rate * 0.3, noise % 10**9, errors=(noise % 7) / 1e9)

    def _line_port(self, agent: Agent, circuit: Circuit, is_far: bool) -> None:
        end = circuit.far if is_far else circuit.end
        rates, slow = self._rates[circuit.id], circuit.id in self.slow
        for port in agent.ports:
            if end and port.name == end[1]:
                port.up, port.alias = True, circuit.name
                port.rate_in, port.rate_out = (rates.up, rates.down) if is_far else (rates.down, rates.up)
                if circuit.mbps > port.speed_mbps:
                    port.speed_mbps = 10_000 if circuit.mbps <= 10_000 else 25_000
                if slow:
                    port.steady, port.errors, port.speed_mbps = True, 4e-6, SLOW_MBPS

    def _neighbours(self, agent: Agent) -> None:
        unit = agent.unit
        if unit.kind == "gateway":
            switches = [self.network.units[n] for n in self._below.get(unit.id, ()) if n in self.network.units]
            switches = [s for s in switches if s.kind == "switch"]
            for number, switch in enumerate(switches):
                own = lan_port(agent.model, number)
                model = self._models.get((switch.vendor, switch.model)) or MODELS["switch"][0]
                agent.ports[own - 1].up, agent.ports[own - 1].alias = True, switch.name
                self._lan_rates(agent.ports[own - 1], unit, len(switches), to_gateway=False)
                name = model.port(SWITCH_UPLINK)
                agent.neighbours.append(Neighbour(own, switch.mac, name, switch.sys_name, model.descr))
        if unit.kind == "switch":
            for up in self.network.upstreams.get(unit.id, ()):
                self._uplink(agent, self.network.units[up])

    def _uplink(self, agent: Agent, gateway: Unit) -> None:
        siblings = [n for n in self._below.get(gateway.id, ()) if self.network.units[n].kind == "switch"]
        model = self._models.get((gateway.vendor, gateway.model)) or MODELS["gateway"][0]
        port = agent.ports[SWITCH_UPLINK - 1]
        port.up, port.alias = True, gateway.name
        self._lan_rates(port, gateway, len(siblings), to_gateway=True)
        name = model.port(lan_port(model, siblings.index(agent.unit.id)))
        agent.neighbours.append(Neighbour(SWITCH_UPLINK, gateway.mac, name, gateway.sys_name, model.descr))

    def _lan_rates(self, port: Port, gateway: Unit, shares: int, to_gateway: bool) -> None:
        lines = [circuit.id for circuit, is_far in self._ends.get(gateway.id, ()) if not is_far]
        down = sum(self._rates[line].down for line in lines) / max(shares, 1)
        up = sum(self._rates[line].up for line in lines) / max(shares, 1)
        port.rate_in, port.rate_out = (down, up) if to_gateway else (up, down)


def lan_port(model: Model, number: int) -> int:
    """The gateway's port to its switch `number` (from 0): from the last one down; the first two are for lines."""
    return model.ports - number % (model.ports - 2)


def line_rates(network: Network, slow: frozenset[int]) -> dict[int, Rates]:
    """What each line carries at full load: a school's by its contract, a trunk's the sum of what hangs below."""
    rates: dict[int, Rates] = {}
    for circuit in network.circuits.values():
        share = 0.02 if circuit.role == "backup" else 0.30 + mix(circuit.id) % 50 / 100
        capacity = circuit.mbps * 125_000
        if circuit.id in slow:
            rates[circuit.id] = Rates(SLOW_MBPS * 125_000 * 0.97, SLOW_MBPS * 125_000 * 0.4)
        else:
            rates[circuit.id] = Rates(capacity * share, capacity * share * 0.25)
    for tier in ("county", "city"):
        for circuit in network.circuits.values():
            unit = network.units.get(circuit.end[0]) if circuit.end else None
            if unit and unit.tier == tier and circuit.role == "primary" and circuit.id not in slow:
                rates[circuit.id] = _trunk_rates(network, circuit, unit, rates)
    return rates


def _trunk_rates(network: Network, circuit: Circuit, unit: Unit, rates: dict[int, Rates]) -> Rates:
    below = [rates[c.id] for c in network.circuits.values() if c.upstream_site == unit.site]
    limit = circuit.mbps * 125_000 * 0.85
    return Rates(
        min(limit, 0.7 * sum(r.down for r in below)),
        min(limit, 0.7 * sum(r.up for r in below)),
    )
