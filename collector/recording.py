"""A trace of what the judge was told (REPLAY.md), written while it is told: `edunet replay` makes the same notices of it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from collector.clock import SteadyClock


class Recording:
    """JSON lines; times count from the start of the recording, which its first line names."""

    def __init__(self, path: Path, clock: SteadyClock) -> None:
        self.path, self._clock = path, clock
        self._file: TextIO | None = None
        self._start = 0.0

    def open(self) -> None:
        """Begin. OSError where the file cannot be made."""
        self._start = self._clock.now()
        self._file = self.path.open("w", encoding="utf-8")
        at = datetime.fromtimestamp(self._start, UTC).astimezone()
        self._put({"t": 0, "kind": "start", "at": at.isoformat(timespec="seconds")})

    def __call__(self, line: dict[str, Any]) -> None:
        """One line, in seconds since the epoch as the judge had it."""
        changed = {**line, "t": self._relative(line["t"])}
        if line["kind"] in ("maintenance", "planned_off"):
            changed |= {name: self._relative(line[name]) for name in ("from", "to")}
        self._put(changed)

    def close(self) -> None:
        """End."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _relative(self, t: float) -> float:
        return round(t - self._start, 6)

    def _put(self, line: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
            self._file.flush()
