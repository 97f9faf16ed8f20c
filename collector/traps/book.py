"""The last traps of each device, for whoever looks for the cause of an outage or shows a device: bounded, in memory alone."""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable

from collector.traps.messages import Trap

MOST_OF_A_DEVICE = 20
MOST_DEVICES = 20_000


class TrapBook:
    """Written by the thread that hears the traps' process, read by every other."""

    def __init__(self) -> None:
        self._of: OrderedDict[int, deque[Trap]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, traps: Iterable[Trap]) -> None:
        """Keep them; of too many devices the one that was heard longest ago is forgotten."""
        with self._lock:
            for trap in traps:
                kept = self._of.get(trap.device)
                if kept is None:
                    kept = self._of[trap.device] = deque(maxlen=MOST_OF_A_DEVICE)
                    if len(self._of) > MOST_DEVICES:
                        self._of.popitem(last=False)
                else:
                    self._of.move_to_end(trap.device)
                kept.append(trap)

    def of(self, device: int, since: float = 0.0) -> tuple[Trap, ...]:
        """The last traps about a device (id of the register), the oldest first; since: steady seconds since the epoch."""
        with self._lock:
            return tuple(trap for trap in self._of.get(device, ()) if trap.at >= since)

    def newest(self, most: int = 100) -> list[Trap]:
        """The last traps of all devices, the newest first."""
        with self._lock:
            every = [trap for kept in self._of.values() for trap in kept]
        return sorted(every, key=lambda trap: -trap.at)[:most]
