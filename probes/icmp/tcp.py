"""Where no ICMP is to be had: life by TCP connect. An answer proves life; silence proves nothing."""

import errno
import select as selecting
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probes.icmp.loop import PingLimits
from probes.icmp.pinger import Pinger, Progress
from probes.icmp.readings import PingReadings, PingTargets, empty_readings

OPEN_AT_ONCE = 200
"""Connections under way at a time: far below the usual limit of 1,024 descriptors."""


@dataclass
class _Call:
    """A connection under way."""

    sock: socket.socket
    target: int
    began: float


class TcpPinger(Pinger):
    """Rounds of TCP connects to a few ports of each target: a probe is one connect; each attempt tries all ports, a port not again once it has refused."""

    method = "tcp"
    proves_down = False

    def __init__(self, ports: Sequence[int], *, resets_are_life: bool = False) -> None:
        """`resets_are_life`: whether a refused connection counts as an answer (firewalls, too, send resets)."""
        self.ports = tuple(ports)
        self.resets_are_life = resets_are_life

    def _ask(
        self, targets: PingTargets, members: np.ndarray, limits: PingLimits, progress: Progress | None
    ) -> PingReadings:
        readings = empty_readings(len(targets), time.time())
        waiting = [(int(target), port) for port in self.ports for target in members]
        for _ in range(limits.attempts):
            waiting = self._attempt(targets, waiting, limits, readings, progress)
            if not waiting:
                break
        readings.ended = time.time()
        return readings

    def _attempt(
        self,
        targets: PingTargets,
        waiting: list[tuple[int, int]],
        limits: PingLimits,
        readings: PingReadings,
        progress: Progress | None,
    ) -> list[tuple[int, int]]:
        """Try these (target, port); returns those that were silent."""
        queue = list(reversed(waiting))
        calls: dict[int, tuple[_Call, int]] = {}
        silent: list[tuple[int, int]] = []
        poll = selecting.poll()
        patience = limits.patience()
        while queue or calls:
            while queue and len(calls) < OPEN_AT_ONCE:
                target, port = queue.pop()
                if readings.answered[target]:
                    continue
                call = self._start(targets, target, port, readings)
                if call:
                    calls[call.sock.fileno()] = call, port
                    poll.register(call.sock.fileno(), selecting.POLLOUT)
            ready = poll.poll(20)
            now = time.monotonic()
            for descriptor, _ in ready:
                poll.unregister(descriptor)
                call, _ = calls.pop(descriptor)
                self._finish(call, now, readings)
            for descriptor in [d for d, (call, _) in calls.items() if call.began + patience <= now]:
                poll.unregister(descriptor)
                call, port = calls.pop(descriptor)
                call.sock.close()
                silent.append((call.target, port))
            if progress:
                progress(int(readings.sent.sum()))
        return [(target, port) for target, port in silent if not readings.answered[target]]

    def _start(self, targets: PingTargets, target: int, port: int, readings: PingReadings) -> _Call | None:
        wide = bool(targets.wide[target])
        try:
            sock = socket.socket(socket.AF_INET6 if wide else socket.AF_INET, socket.SOCK_STREAM)
        except OSError as failure:
            readings.failed[target] = min(failure.errno or 255, 255)
            return None
        sock.setblocking(False)
        readings.sent[target] += 1
        began = time.monotonic()
        code = sock.connect_ex((targets.addresses[target], port))
        call = _Call(sock, target, began)
        if code == errno.EINPROGRESS:
            return call
        if code in (0, errno.ECONNREFUSED):
            self._judge(call, code, time.monotonic(), readings)
        else:
            readings.failed[target] = min(code, 255)
        sock.close()
        return None

    def _finish(self, call: _Call, now: float, readings: PingReadings) -> None:
        code = call.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        call.sock.close()
        self._judge(call, code, now, readings)

    def _judge(self, call: _Call, code: int, now: float, readings: PingReadings) -> None:
        if code != 0 and not (code == errno.ECONNREFUSED and self.resets_are_life):
            return
        readings.answered[call.target] = True
        readings.received[call.target] += 1
        rtt = np.float32(now - call.began)
        readings.rtt_seconds[call.target] = np.fmin(readings.rtt_seconds[call.target], rtt)
