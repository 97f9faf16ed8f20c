"""What the rounds have to say, sent by a thread of its own: a judge that is slow never holds up a round."""

import threading
from collections import deque
from typing import Any

from collector.wire import Channel, ChannelClosedError


class Outbox:
    """A bounded queue before a channel. When it is full the oldest goes: a report is a state, the next one says it again."""

    def __init__(self, channel: Channel, limit: int = 10_000) -> None:
        self.channel = channel
        self.dropped = 0
        self._items: deque[tuple[Any, tuple[int, ...]]] = deque()
        self._limit = limit
        self._some = threading.Condition()
        self._closed = False

    def put(self, value: Any, fds: tuple[int, ...] = ()) -> None:
        """Queue a value; with descriptors it is never dropped."""
        with self._some:
            if len(self._items) >= self._limit:
                for i, (_, carried) in enumerate(self._items):
                    if not carried:
                        del self._items[i]
                        self.dropped += 1
                        break
            self._items.append((value, fds))
            self._some.notify()

    def run(self) -> None:
        """Send until `close`; returns when the other end is gone."""
        while True:
            with self._some:
                while not self._items and not self._closed:
                    self._some.wait()
                if not self._items:
                    return
                value, fds = self._items.popleft()
            try:
                self.channel.send(value, fds)
            except ChannelClosedError:
                return

    def close(self) -> None:
        """Let `run` end when all is sent."""
        with self._some:
            self._closed = True
            self._some.notify()
