"""The process that hears traps: sockets, the receiver, and words for the judge's process. Nothing here waits for that."""

import logging
import os
import select
import threading
import time
from pathlib import Path
from typing import Any

from collector.clock import SteadyClock
from collector.rounds.outbox import Outbox
from collector.traps.bounds import Buckets, Readings
from collector.traps.engine_file import open_security, save_security
from collector.traps.listeners import Ears, Listener
from collector.traps.messages import Senders, TrapHealth, TrapHello, TrapNews
from collector.traps.receiver import Receiver
from collector.wire import Channel, ChannelClosedError

log = logging.getLogger(__name__)

AT_ONCE = 256
"""Datagrams of one socket before the others, and the clock, are looked at."""

SHARE = 0.75
"""Most of a core that a flood may take: beyond that datagrams wait in the kernel, and are dropped and counted there. Judge and rounds may have but one core with us."""

NEWS_S, HEALTH_S, RETRY_S, SAVE_S, COMPLAIN_S = 0.1, 1.0, 20.0, 60.0, 60.0
MOST_NEWS = 5000
"""Traps in one message; the buckets keep what comes below it but for a whole province that speaks at once."""

READ_S, READ_AT_ONCE = 1.0, 2000
"""Immediate readings go out at once, but for this long after the last ones, and so many together: a reading of few devices costs nearly what one of many does."""


class TrapProcess:
    """Hears what the settings say until the channel closes. `run` blocks."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.outbox = Outbox(channel, 1000)
        self._over = threading.Event()
        self._wanted: Senders | None = None
        self._complained: dict[str, float] = {}
        self._said: list[str] = []
        self._lost_news = 0
        self._read_after = 0.0
        self._zones: tuple[str, ...] | None = None

    def run(self) -> None:
        """Until the judge's process closes the channel or is gone."""
        hello, _ = self.channel.receive()
        assert isinstance(hello, TrapHello)
        self.clock = SteadyClock(hello.clock_base)
        self._file = Path(hello.engine_file)
        now = time.monotonic()
        self.receiver = Receiver(
            open_security(self._file, now),
            Buckets(hello.burst, hello.per_minute / 60),
            Readings(hello.read_every_s),
            lambda at: self.clock.base + at,
        )
        self.ears = Ears(hello.listen, hello.sockets)
        threading.Thread(target=self.outbox.run, name="outbox", daemon=True).start()
        threading.Thread(target=self._listen, name="inbox", daemon=True).start()
        self._say_health(now)
        try:
            self._loop()
        except Exception:
            log.exception("the receiver of traps failed")
            os._exit(1)
        save_security(self._file, self.receiver.security)

    def _listen(self) -> None:
        try:
            while True:
                message, fds = self.channel.receive()
                for fd in fds:
                    os.close(fd)
                if isinstance(message, Senders):
                    self._wanted = message
        except ChannelClosedError:
            self._over.set()
            threading.Timer(1.5, os._exit, (0,)).start()

    def _loop(self) -> None:
        poll = select.poll()
        by_number: dict[int, Listener] = {}
        news = health = time.monotonic()
        save, retry = news + SAVE_S, news + RETRY_S
        while not self._over.is_set():
            ready, begun = poll.poll(NEWS_S * 1000), time.process_time()
            more = [self._drain(by_number[number]) for number, _ in ready]
            if any(more):
                self._over.wait((time.process_time() - begun) * (1 / SHARE - 1))
            now = time.monotonic()
            if self._wanted is not None:
                senders, self._wanted = self._wanted, None
                self.receiver.follow(senders)
                self._zones = senders.zones
            # Not before the first plan, to which everybody is a stranger: until then what comes waits in the kernel.
            for listener in self.ears.listeners[len(by_number) :] if self._zones is not None else ():
                by_number[listener.socket.fileno()] = listener
                poll.register(listener.socket, select.POLLIN)
            if now >= retry:
                retry = now + RETRY_S
                self.ears.retry()
            if now >= news:
                news = now + NEWS_S
                self._tell(now)
            if now >= health:
                health = now + HEALTH_S
                self._say_health(now)
            if now >= save:
                save = now + SAVE_S
                if self.receiver.security.engines:
                    save_security(self._file, self.receiver.security)

    def _drain(self, listener: Listener) -> bool:
        """Take what waits; whether there may be more."""
        take = self.receiver.take
        for _ in range(AT_ONCE):
            got = listener.receive()
            if got is None:
                return False
            data, source, peer, ancillary = got
            if source:
                answer = take(data, source, listener.zone, time.monotonic())
                if answer:
                    listener.answer(answer, peer, ancillary)
        return True

    def _tell(self, now: float) -> None:
        receiver = self.receiver
        traps, receiver.traps = receiver.traps[:MOST_NEWS], receiver.traps[MOST_NEWS:]
        if len(receiver.traps) > 10 * MOST_NEWS:
            self._lost_news += len(receiver.traps) - 10 * MOST_NEWS
            del receiver.traps[10 * MOST_NEWS :]
        read = receiver.readings.take(now, READ_AT_ONCE) if now >= self._read_after else []
        if read:
            self._read_after = now + READ_S
        if traps or read:
            self.outbox.put(TrapNews(traps, read))

    def _say_health(self, now: float) -> None:
        receiver = self.receiver
        for result, source in receiver.complaints.items():
            if now - self._complained.get(result, -1e9) >= COMPLAIN_S:
                self._complained[result] = now
                count = receiver.counts[result]
                self._said.append(f"{result.replace('_', ' ')}: {count} dropped so far, one of them from {source}")
        receiver.complaints.clear()
        detail: dict[str, Any] = {
            "listening": [listener.describe() for listener in self.ears.listeners],
            "trouble": self._trouble(),
            "senders": len(receiver),
            "plan_version": receiver.version,
            "answered": receiver.answered,
            "waiting_readings": len(receiver.readings),
            "engines": len(receiver.security.engines),
            "dropped_by_kernel": sum(listener.dropped() for listener in self.ears.listeners),
            "dropped_news": self._lost_news + self.outbox.dropped,
            "cpu_s": round(time.process_time(), 2),
        }
        said, self._said = self._said, []
        counts, kinds = dict(receiver.counts), dict(receiver.kinds)
        self.outbox.put(TrapHealth(self.clock.base + now, counts, kinds, detail, said))

    def _trouble(self) -> list[str]:
        if self._zones is None:
            return self.ears.trouble
        unknown = [one for one in self.ears.listeners if one.zone and one.zone not in self._zones]
        return [*self.ears.trouble, *(f"{one.describe()}: no zone has this name" for one in unknown)]
