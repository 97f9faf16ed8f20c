"""What a vantage point hands in: `round` lines (REPLAY.md) in a bundle, and the checks of the one who takes them.

A line's `asked` is `{"part": NAME}`, the whole of a shard's part (`part.py`), or a list of ids among it. Whoever holds a token is believed
in what it may say, and in nothing else.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from collector.report import RoundReport
from collector.vantage.part import Part

BUNDLE_VERSION = 1

MOST_BODY = 2_000_000
"""Bytes of one bundle; a round in which all 13,000 are silent takes 200,000."""

MOST_REPORTS = 100
"""Lines of one bundle."""

LATE_S = 180.0
"""A report that is older than this is refused: the judge's record of each round does not go back so far."""

AHEAD_S = 2.0
"""A report from the future by more than this is refused: the clocks do not agree."""


class WrongBundleError(ValueError):
    """A bundle that is none."""


@dataclass(frozen=True)
class Hearsay:
    """One checked report. asked None: the whole part of its shard."""

    part: str
    report: RoundReport
    asked: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Bundle:
    """What was handed in at once: reports, how many were refused and why, and what the vantage point says of itself."""

    reports: tuple[Hearsay, ...]
    refused: Counter[str] = field(default_factory=Counter)
    detail: Mapping[str, Any] = field(default_factory=dict)


def bundle_line(part: str, report: RoundReport) -> dict[str, Any]:
    """A report as a line of a bundle. asked "all": the whole part of the shard."""
    line = report.as_line()
    line["asked"] = {"part": part} if report.asked == "all" else line["asked"]
    line["part"] = part
    return line


def read_bundle(value: Any, name: str, parts: Mapping[str, Part], now: float) -> Bundle:
    """Check a decoded bundle of vantage point `name`. Single lines are refused by themselves; WrongBundleError where it is no bundle at all.

    parts: those that it was given, by name. now: the judge's time.
    """
    if not isinstance(value, dict) or value.get("version") != BUNDLE_VERSION:
        raise WrongBundleError(f"no bundle of version {BUNDLE_VERSION}")
    lines = value.get("reports")
    if not isinstance(lines, list) or len(lines) > MOST_REPORTS:
        raise WrongBundleError(f'"reports" is no list of at most {MOST_REPORTS}')
    found: list[Hearsay] = []
    refused: Counter[str] = Counter()
    for line in lines:
        said = _read_line(line, name, parts, now)
        if isinstance(said, str):
            refused[said] += 1
        else:
            found.append(said)
    return Bundle(tuple(found), refused, _detail(value.get("detail")))


def _read_line(line: Any, name: str, parts: Mapping[str, Part], now: float) -> Hearsay | str:
    """The report, or why it is refused: form, part, zone, target, clock or late."""
    if not isinstance(line, dict) or line.get("kind") != "round":
        return "form"
    t, tick, every = _number(line.get("t")), line.get("tick"), _number(line.get("every"))
    if t is None or every is None or not 1 <= every <= 20 or _number(tick) is None or not isinstance(tick, int):
        return "form"
    zone, shard, ok, silent = line.get("zone"), line.get("shard"), line.get("self_ok"), line.get("silent")
    if not isinstance(zone, str) or not isinstance(shard, int) or not isinstance(ok, bool):
        return "form"
    part = parts.get(line["part"]) if isinstance(line.get("part"), str) else None
    if part is None or every != part.every:
        return "part"
    mine = part.by_key.get((zone, shard))
    if mine is None:
        return "zone"
    asked = line.get("asked")
    if not _ids(silent) or not (isinstance(asked, dict) or _ids(asked)):
        return "form"
    among = mine.among if isinstance(asked, dict) else frozenset(asked)
    if not (among <= mine.among and among.issuperset(silent)):
        return "target"
    if t > now + AHEAD_S or not -AHEAD_S <= t - tick * every <= 2 * every:
        return "clock"
    if t < now - LATE_S:
        return "late"
    report = RoundReport(
        t=min(t, now),
        asked="all",
        silent=silent,
        self_ok=ok,
        collector=name,
        zone=zone,
        shard=shard,
        tick=tick,
        every=every,
    )
    return Hearsay(part.name, report, None if isinstance(asked, dict) else tuple(sorted(among)))


def _detail(value: Any) -> dict[str, Any]:
    """What it says of itself: known keys, and of those only what they may be."""
    value = value if isinstance(value, dict) else {}
    found: dict[str, Any] = {}
    for key in ("offset_s", "round_trip_s", "duration_s", "dropped", "waiting"):
        number = _number(value.get(key))
        if number is not None:
            found[key] = round(number, 3)
    for key, most in (("method", 16), ("release", 24)):
        if isinstance(value.get(key), str):
            found[key] = value[key][:most]
    return found


def _ids(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _number(value: Any) -> float | None:
    fine = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12 and math.isfinite(value)
    return float(value) if fine else None
