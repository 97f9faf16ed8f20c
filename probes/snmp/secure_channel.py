"""A channel for v3 agents: the loop of a round sees v2c messages in its buffers, the wire sees SNMPv3.

Each message is wrapped when it is sent and opened when it comes, by the batch (`probes.engine.seal`); what discovery and reports ask to be sent again goes
out at once, by the batch.
"""

import secrets
import socket
import time
from typing import TYPE_CHECKING

import numpy as np

from probes import engine as engines
from probes.engine.channel import Channel
from probes.snmp.secure import Agent

if TYPE_CHECKING:
    _Moving = Channel
else:
    _Moving = object  # what `Sealing` is laid over: the machine's channel, or a test's


class Sealing(_Moving):
    """What makes a channel one for v3, laid over the channel that moves the packets.

    Counts since `begin`: `seal.unauthentic` (wrong digest), `seal.stale` (outside the time window, or less protected than asked), `seal.foreign`,
    `seal.broken`, `extra` (messages of discovery and resynchronisation). For the loop to heed: `refused`, devices that said why they do not answer;
    `reported`, devices that spoke, but have not answered yet.
    """

    def prepare(self, engine: str = "") -> None:
        """Once, before the first round. `engine`: compiled or python, empty for the running one."""
        module = engines.load_beside("seal", engine or None)  # type: ignore[arg-type]  # as in Channel
        self.seal = module.Seal(secrets.randbits(63))
        self.refused: list[int] = self.seal.refused
        self.reported: list[int] = self.seal.reported
        self._again: list[int] = self.seal.again
        self.begin({}, np.zeros(0, np.uint8))

    def seconds(self) -> float:
        """The monotonic clock that the agents' clocks are held against."""
        return time.monotonic()

    def begin(self, agents: dict[int, Agent], addresses: np.ndarray) -> None:
        """A new round, over these agents (by the target's number) and addresses (uint8[n * 28])."""
        self._addresses = addresses.data
        self.seal.begin(agents, addresses.tobytes())
        self.extra = 0

    def send(self, addresses: memoryview, count: int) -> int:
        """See `Channel.send`; the packets in `out` are v2c, with an empty community."""
        self.seal.wrap_all(self.targets, count, self.out, self.size, self.out_lengths, self.seconds())
        return super().send(addresses, count)

    def receive(self) -> int:
        """See `Channel.receive`; what lies in `into` then is v2c, and everything else has been heeded or counted."""
        got = super().receive()
        if not got:
            return 0
        now = self.seconds()
        kept: int = self.seal.open_all(self.into, self.size, self.into_lengths, self.sources, got, now)
        if self._again:
            self._send_again(now)
        return kept

    def _send_again(self, now: float) -> None:
        for first in range(0, len(self._again), self.batch):
            devices = self._again[first : first + self.batch]
            self.target_numbers[: len(devices)] = devices
            self.seal.wrap_again(self.targets, len(devices), self.out, self.size, self.out_lengths, now)
            self.extra += super().send(self._addresses, len(devices))
        self._again.clear()


class SecureChannel(Sealing, Channel):
    """A socket for v3 agents."""

    def __init__(self, sock: socket.socket, *, buffer_bytes: int = 32 << 20, engine: str = "") -> None:
        super().__init__(sock, buffer_bytes=buffer_bytes, engine=engine)
        self.prepare(engine)
