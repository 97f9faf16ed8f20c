"""A network of toy agents in virtual time: rounds of hours in a moment, the same each time."""

import heapq
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from toy_agent import ToyTable, tlv

from probes import engine
from probes.engine.channel import pack_addresses
from probes.snmp.ber import encode_integer, encode_oid
from probes.snmp.credential import Credential
from probes.snmp.poll import SnmpPoller
from probes.snmp.secure import Agent
from probes.snmp.secure_channel import Sealing

_decode = engine.load("walk", "python").decode
_seals = engine.load("seal", "python")
SIZE, BATCH = 2048, 128


class VirtualClock:
    """Seconds that pass only by waiting."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.arrivals: list[float] = []

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += max(seconds, 1e-5)

    def wait(self, seconds: float) -> bool:
        until = self.seconds + max(seconds, 0.001)
        if self.arrivals and self.arrivals[0] <= until:
            self.seconds = max(self.seconds, self.arrivals[0])
            return True
        self.seconds = until
        return False


class Station:
    """An agent at an address. `delay`: seconds from request to answer, by (its number, decoded request); None: lost. It works on one at a time."""

    def __init__(self, table: ToyTable, delay: Callable[[int, tuple], float | None] = lambda *_: 0.001) -> None:
        self.table, self.delay = table, delay
        self.asked: list[tuple[float, tuple]] = []
        self.busy_until = 0.0
        self.overlaps = 0
        """Requests that came while it still worked on another."""

    def hear(self, packet: bytes, seconds: float) -> tuple[tuple, bytes]:
        """(the decoded request, the answer) at this time."""
        asked = _decode(packet)
        return asked, self.table.answer(asked)


class SecureStation(Station):
    """One that speaks v3 alone, to the user of `credential`; `asked` has "discovery" where its engine was asked for."""

    def __init__(self, table: ToyTable, credential: Credential, delay: Callable[[int, tuple], float | None]) -> None:
        super().__init__(table, delay)
        self.self = Agent(credential)
        self.self.meet(b"\x80\x00\x1f\x88toy", 3, 1000, 0.0)
        self.seal = _seals.Seal(1)

    def hear(self, packet: bytes, seconds: float) -> tuple[tuple, bytes]:
        opened = _seals.open_packet(packet)
        if not opened.engine_id:
            return ("discovery",), _unknown_engine(self.self, opened.message_id, seconds)
        assert self.seal.is_authentic(self.self, packet, opened)
        asked = _decode(_seals.as_v2c(_seals.take_pdu(self.seal.decrypt(self.self, opened))))
        self.self.pdu = _seals.pdu_of(self.table.answer(asked))
        self.self.request_id = opened.message_id
        return asked, self.seal.wrap(self.self, SIZE, seconds)


def _unknown_engine(agent: Agent, message_id: bytes, seconds: float) -> bytes:
    """The report that answers a discovery: usmStatsUnknownEngineIDs.0 (RFC 3414, 4)."""
    varbind = encode_oid((1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0)) + b"\x41\x01\x01"
    pdu = tlv(0xA8, b"\x02\x01\x00" * 3 + tlv(0x30, tlv(0x30, varbind)))
    clock = encode_integer(agent.boots) + encode_integer(agent.clock(seconds))
    security = tlv(0x30, tlv(4, agent.engine_id) + clock + tlv(4, b"") + tlv(4, b"") + tlv(4, b""))
    scoped = tlv(0x30, tlv(4, agent.engine_id) + tlv(4, b"") + pdu)
    return tlv(0x30, _seals.head(message_id, SIZE, 0) + tlv(4, security) + scoped)


class VirtualChannel:
    """What `probes.engine.channel.Channel` is to a round's loop, over stations by address."""

    buffer_bytes = 32 << 20
    batch, size = BATCH, SIZE

    def __init__(self, clock: VirtualClock, stations: dict[str, Station]) -> None:
        self.clock = clock
        self.stations = {pack_addresses([(host, 161)])[0].tobytes(): station for host, station in stations.items()}
        self.coming: list[tuple[float, int, bytes, bytes]] = []
        self.number = 0
        self.out, self.into = np.zeros(BATCH * SIZE, np.uint8).data, np.zeros(BATCH * SIZE, np.uint8).data
        self.out_lengths, self.into_lengths = np.zeros(BATCH, np.int32).data, np.zeros(BATCH, np.int32).data
        self.target_numbers, self.error_numbers = np.zeros(BATCH, np.int32), np.zeros(BATCH, np.int32)
        self.targets, self.errors = self.target_numbers.data, self.error_numbers.data
        self.sources = np.zeros(BATCH * 28, np.uint8).data

    def send(self, addresses: memoryview, count: int) -> int:
        now = self.clock.now()
        for i in range(count):
            at = int(self.targets[i]) * 28
            source = bytes(addresses[at : at + 28])
            station = self.stations.get(source)
            if station is None:
                continue
            asked, answer = station.hear(bytes(self.out[i * SIZE : i * SIZE + self.out_lengths[i]]), now)
            station.asked.append((now, asked))
            delay = station.delay(len(station.asked) - 1, asked)
            if delay is None or not answer:
                continue
            station.overlaps += now < station.busy_until
            station.busy_until = max(now, station.busy_until) + delay
            self.number += 1
            heapq.heappush(self.coming, (station.busy_until, self.number, answer, source))
        self._tell()
        return count

    def receive(self) -> int:
        got = 0
        while self.coming and self.coming[0][0] <= self.clock.now() and got < BATCH:
            _, _, answer, source = heapq.heappop(self.coming)
            self.into[got * SIZE : got * SIZE + len(answer)] = np.frombuffer(answer, np.uint8)
            self.into_lengths[got] = len(answer)
            self.sources[got * 28 : got * 28 + 28] = np.frombuffer(source, np.uint8)
            got += 1
        self._tell()
        return got

    def _tell(self) -> None:
        self.clock.arrivals = [self.coming[0][0]] if self.coming else []

    def dropped(self) -> int:
        return 0

    def close(self) -> None:
        pass


class SecureVirtualChannel(Sealing, VirtualChannel):  # type: ignore[misc]  # of a channel it has what a round's loop needs
    def __init__(self, clock: VirtualClock, stations: dict[str, Station], engine_name: str) -> None:
        VirtualChannel.__init__(self, clock, stations)
        self.prepare(engine_name)

    def seconds(self) -> float:
        return self.clock.now()

    def receive(self) -> int:
        got = super().receive()
        self._tell()
        return got


def poller_over(stations: dict[str, Station], engine_name: str) -> tuple[SnmpPoller, VirtualClock]:
    """A poller whose rounds are over these stations (IPv4 addresses, port 161), in virtual time."""
    clock = VirtualClock()

    def channel(secure: bool) -> Any:
        return SecureVirtualChannel(clock, stations, engine_name) if secure else VirtualChannel(clock, stations)

    def time_of(_channels: Sequence[Any]) -> Any:
        return clock

    return SnmpPoller(engine=engine_name, clock=time_of, channel=channel), clock
