"""A channel for v3 agents: the loop of a round sees v2c messages in its buffers, the wire sees SNMPv3.

Each message is wrapped when it is sent and opened when it comes; what discovery and reports ask to be sent again goes out at once, by the batch.
"""

import secrets
import socket
import time
from itertools import count as count_up

import numpy as np

from probes.engine.channel import Channel
from probes.snmp.ber import BerError
from probes.snmp.message import FLAG_AUTH, REPORT
from probes.snmp.secure import Agent, as_v2c, from_v2c, open_packet, take_pdu

_SOURCE = 28


class SecureChannel(Channel):
    """Counts since `begin`: `unauthentic` (wrong digest), `stale` (outside the time window, or less protected than asked), `foreign`, `broken`, `extra` (messages
    of discovery and resynchronisation). `refused`: devices that said why they do not answer, for the loop to take out.
    """

    def __init__(self, sock: socket.socket, *, buffer_bytes: int = 32 << 20, engine: str = "") -> None:
        super().__init__(sock, buffer_bytes=buffer_bytes, engine=engine)
        self._salt = count_up(secrets.randbits(63))  # never the same twice with one key (RFC 3826, 3.1.2.1)
        self.refused: list[int] = []
        self.begin({}, np.zeros(0, np.uint8))

    def begin(self, agents: dict[int, Agent], addresses: np.ndarray) -> None:
        """A new round, over these agents (by the target's number) and addresses (uint8[n * 28])."""
        self._agents = agents
        self._addresses = addresses.data
        self._address_bytes = addresses.tobytes()
        self._pending: dict[bytes, int] = {}
        self._again: list[int] = []
        self.refused.clear()
        self.unauthentic = self.stale = self.foreign = self.broken = self.extra = 0

    def send(self, addresses: memoryview, count: int) -> int:
        """See `Channel.send`; the packets in `out` are v2c, with an empty community."""
        now = time.monotonic()
        for i, device in enumerate(self.target_numbers[:count].tolist()):
            agent, at = self._agents[device], i * self.size
            self._pending.pop(agent.request_id, None)
            agent.pdu, agent.request_id = from_v2c(bytes(self.out[at : at + self.out_lengths[i]]))
            agent.resyncs, agent.refusal = 0, ""
            self._pending[agent.request_id] = device
            self._put(i, agent, now)
        return super().send(addresses, count)

    def _put(self, i: int, agent: Agent, now: float) -> None:
        message = agent.wrap(self.size, next(self._salt), now)
        at = i * self.size
        self.out[at : at + len(message)] = message
        self.out_lengths[i] = len(message)

    def receive(self) -> int:
        """See `Channel.receive`; what lies in `into` then is v2c, and everything else has been heeded or counted."""
        got, kept, now, size = super().receive(), 0, time.monotonic(), self.size
        if not got:
            return 0
        for i, length in enumerate(self.into_lengths[:got].tolist()):
            if length <= 0:
                self.broken += 1
                continue
            source = bytes(self.sources[i * _SOURCE : (i + 1) * _SOURCE])
            try:
                message = self._open(bytes(self.into[i * size : i * size + length]), source, now)
            except BerError:
                self.broken += 1
                continue
            if message is None:
                continue
            self.into[kept * size : kept * size + len(message)] = message
            self.into_lengths[kept] = len(message)
            if kept != i:
                self.sources[kept * _SOURCE : (kept + 1) * _SOURCE] = source
            kept += 1
        if self._again:
            self._send_again(now)
        return kept

    def _open(self, data: bytes, source: bytes, now: float) -> bytes | None:
        """The answer as v2c, or None where it was a report or is to be dropped (counted why). BerError where it is broken."""
        packet = open_packet(data)
        device = self._pending.get(packet.message_id)
        if device is None or not self._is_from(device, source):
            self.foreign += 1
            return None
        agent = self._agents[device]
        if packet.flags & FLAG_AUTH and not agent.is_authentic(data, packet):
            self.unauthentic += 1
            return None
        pdu = take_pdu(agent.decrypt(packet))
        if pdu[0] == REPORT:
            if agent.heed(packet, pdu, now):
                self._again.append(device)
            else:
                self.refused.append(device)
            return None
        if not agent.accepts(packet, pdu, now):
            self.stale += 1
            return None
        agent.proven = True
        del self._pending[packet.message_id]
        return as_v2c(pdu)

    def _is_from(self, device: int, source: bytes) -> bool:
        at, wanted = device * _SOURCE, self._address_bytes
        if source[0] == socket.AF_INET:
            return source[:8] == wanted[at : at + 8]
        return source[:4] == wanted[at : at + 4] and source[8:24] == wanted[at + 8 : at + 24]

    def _send_again(self, now: float) -> None:
        for first in range(0, len(self._again), self.batch):
            devices = self._again[first : first + self.batch]
            self.target_numbers[: len(devices)] = devices
            for i, device in enumerate(devices):
                self._put(i, self._agents[device], now)
            self.extra += super().send(self._addresses, len(devices))
        self._again.clear()
