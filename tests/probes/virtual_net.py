"""A network of toy agents in virtual time: rounds of hours in a moment, the same each time."""

import heapq
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from toy_agent import ToyTable

from probes import engine
from probes.engine.channel import pack_addresses
from probes.snmp.poll import SnmpPoller

_decode = engine.load("walk", "python").decode
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
            asked = _decode(bytes(self.out[i * SIZE : i * SIZE + self.out_lengths[i]]))
            station.asked.append((now, asked))
            delay = station.delay(len(station.asked) - 1, asked)
            answer = station.table.answer(asked)
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


def poller_over(stations: dict[str, Station], engine_name: str) -> tuple[SnmpPoller, VirtualClock]:
    """A poller whose rounds are over these stations (IPv4 addresses, port 161), in virtual time."""
    clock = VirtualClock()

    def channel() -> Any:
        return VirtualChannel(clock, stations)

    def time_of(_channels: Sequence[Any]) -> Any:
        return clock

    return SnmpPoller(engine=engine_name, clock=time_of, channel=channel), clock
