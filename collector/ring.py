"""The last hours of what the judge was told, on disk, bounded in time and size: an incident's own stretch of trace comes from here.

Segments of gzipped JSON lines, an hour each, in times of the judge (seconds since the epoch). Each begins with the topology in force, so that
it can be read alone. A list of asked nodes is written once in each segment (`{"kind": "asked", "n": 3, "ids": [...]}`) and named by its number after that.
"""

import gzip
import json
import logging
import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

log = logging.getLogger(__name__)

Line = dict[str, Any]

SEGMENT_S = 3600.0

FLUSH_S = 5.0
"""What is not flushed when the collector is killed is lost: so many seconds at most."""

MOST_WAITING = 5000
"""Lines that wait for a slow disk; more are dropped, and said."""


class Ring:
    """`take` from the judge's thread, never waiting; `run` in a thread of its own until `stop`."""

    def __init__(self, directory: Path, hours: float, megabytes: int) -> None:
        self.directory, self.hours, self.most_bytes = directory, hours, megabytes * 1_000_000
        self.dropped = 0
        self._lines: queue.Queue[Line | None] = queue.Queue(MOST_WAITING)
        self._file: TextIO | None = None
        self._began = 0.0
        self._flushed = 0.0
        self._topology: Line | None = None
        self._asked: dict[tuple[Any, ...], tuple[int, list[str]]] = {}

    def take(self, line: Line) -> None:
        """One line, as a recorder is given it."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self.dropped += 1

    def run(self) -> None:
        """Write. A disk that is full ends the recording, not the collector."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            while (line := self._lines.get()) is not None:
                self._write(line)
        except OSError as error:
            log.warning("the ring of traces cannot be written, and ends here: %s", error)
        finally:
            self._close()

    def stop(self) -> None:
        """Write what waits, then end."""
        try:
            self._lines.put(None, timeout=1.0)
        except queue.Full:
            log.warning("the ring of traces was not written to its end")

    def _write(self, line: Line) -> None:
        t = float(line["t"])
        if line["kind"] == "topology":
            self._topology = line
        if self._file is None or t >= self._began + SEGMENT_S:
            self._begin(t)
            if line["kind"] == "topology":
                return
        if line["kind"] == "round" and isinstance(line["asked"], list):
            line = {**line, "asked": self._number(line)}
        self._put(line)
        if time.monotonic() > self._flushed + FLUSH_S:
            assert self._file is not None
            self._file.flush()
            self._flushed = time.monotonic()

    def _number(self, line: Line) -> int | list[str]:
        """The number of a list of asked nodes, which is written where it is new; short ones stand as they are."""
        asked: list[str] = line["asked"]
        if len(asked) < 10:
            return asked
        key = (line.get("zone"), line.get("shard"), len(asked))
        known = self._asked.get(key)
        if known is None or known[1] != asked:
            known = self._asked[key] = (len(self._asked) if known is None else known[0], asked)
            self._put({"t": line["t"], "kind": "asked", "n": known[0], "ids": asked})
        return known[0]

    def _begin(self, t: float) -> None:
        self._close()
        self._began, self._asked = t, {}
        path = self.directory / f"{int(t)}.jsonl.gz"
        self._file = gzip.open(path, "at", compresslevel=5, encoding="utf-8")  # noqa: SIM115  # closed by `_close`
        if self._topology is not None:
            self._put({**self._topology, "t": t})
        self._forget(t)

    def _forget(self, now: float) -> None:
        """Take away segments that are too old, and the oldest while all together are too large."""
        kept = segments(self.directory)
        total = sum(path.stat().st_size for path in kept)
        for path in kept[:-1]:
            if int(path.name.split(".")[0]) + SEGMENT_S < now - self.hours * 3600 or total > self.most_bytes:
                total -= path.stat().st_size
                path.unlink(missing_ok=True)

    def _put(self, line: Line) -> None:
        assert self._file is not None
        self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def segments(directory: Path) -> list[Path]:
    """All segments, the oldest first."""
    found = [path for path in directory.glob("*.jsonl.gz") if path.name.split(".")[0].isdigit()]
    return sorted(found, key=lambda path: int(path.name.split(".")[0]))


def read_lines(directory: Path, start: float, end: float) -> Iterator[Line]:
    """Lines of all segments that may tell of the time between, whole again; one that is being written ends where it ends."""
    paths = segments(directory)
    began = [int(path.name.split(".")[0]) for path in paths]
    for i, path in enumerate(paths):
        following = began[i + 1] if i + 1 < len(paths) else float("inf")
        if began[i] > end or following < start:
            continue
        asked: dict[int, list[str]] = {}
        try:
            with gzip.open(path, "rt", encoding="utf-8") as file:
                for text in file:
                    line: Line = json.loads(text)
                    if line["kind"] == "asked":
                        asked[line["n"]] = line["ids"]
                    elif isinstance(line.get("asked"), int):
                        yield {**line, "asked": asked[line["asked"]]}
                    else:
                        yield line
        except (EOFError, OSError, ValueError):
            continue
