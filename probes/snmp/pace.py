"""How gently each device is asked: what the operator says of its model, what rounds have learnt of it, and backing off when its latency rises.

Pure: functions of columns; the rounds have the clock (docs/decisions/0023).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from probes.snmp.oids import IF_COLUMN_NAMES
from probes.snmp.poll_state import BULK, MOST_REPETITIONS, NEXT, NEXT_V1

MOST_LEVEL = 4
"""Levels of backing off: 1: pauses as long as its round trip; 2: half the rows in an answer, too, and no errors and discards; 3: pauses twice as
long, read in every second round; 4: in every fourth. Never fewer rows than half: where each request costs the same, more of them cost more."""
SKIPPED_ROUNDS = np.array([1, 1, 1, 2, 4])
PAUSE_TRIPS = np.array([0, 1, 1, 2, 2])
LONGEST_PAUSE_S = 1.0
OPTIONAL = ("ifInErrors", "ifOutErrors", "ifInDiscards", "ifOutDiscards")
RISE_FACTOR, RISE_S, RISE_ROUNDS = 2.0, 0.02, 2
"""Latency has risen where a round's mean is above twice the baseline and 20 ms more, two rounds on end."""
CALM_FACTOR, CALM_S, CALM_ROUNDS, MOST_CALM_ROUNDS = 1.5, 0.01, 3, 24
"""It is calm below 1.5 times the baseline and 10 ms more; after so many calm rounds the level falls, twice as many after each relapse."""
FALL, CREEP = 1 / 4, 1 / 64
"""How fast the baseline follows a lower latency, and a higher one: a lasting change is the new baseline after some two hours of rounds."""
FEW = 50
"""With fewer devices than these the common rise is not taken off: it may be all theirs."""
BULK_AGAIN_ROUNDS = 60
"""A device that was found to know GETNEXT only is asked by GETBULK again after so many rounds: perhaps packets were lost."""


@dataclass(frozen=True)
class Asking:
    """What the operator sets, by model. `max_bindings` counts values in one answer (0: no bound); `bulk` False: GETNEXT alone.

    Budgets are for each device and round: requests sent, seconds from the first of them, bytes of UDP payload both ways.
    """

    max_bindings: int = 0
    max_repetitions: int = MOST_REPETITIONS
    pause_s: float = 0.0
    columns_off: tuple[str, ...] = ()
    bulk: bool = True
    every_rounds: int = 1
    budget_requests: int = 2_000
    budget_s: float = 12.0
    budget_bytes: int = 4 << 20

    def widest(self) -> tuple[int, int]:
        """(columns, rows) of one request that keep within `max_bindings`, the two scalars of the first one counted."""
        columns = len(IF_COLUMN_NAMES)
        if not self.max_bindings:
            return columns, self.max_repetitions
        most = max(1, self.max_bindings - 2)
        return min(columns, most), max(1, min(self.max_repetitions, most // min(columns, most)))

    def off(self) -> int:
        """The engine's mask of columns that are not read (bit c: column c; the narrow twins of the octets and the speed with them)."""
        return mask_of(self.columns_off)


def mask_of(names: Sequence[str]) -> int:
    """The engine's mask of these columns of `IF_COLUMNS`, and of their narrow twins. ValueError where one is none of them."""
    mask = 0
    twins = {"ifHCInOctets": 1 << 9, "ifHCOutOctets": 1 << 10, "ifHighSpeed": 1 << 11}
    for name in names:
        mask |= 1 << IF_COLUMN_NAMES.index(name) | twins.get(name, 0)
    return mask


_OPTIONAL = mask_of(OPTIONAL)
_LEARNT: Mapping[str, tuple[type, float]] = {
    "repetitions": (np.uint8, MOST_REPETITIONS),
    "width": (np.uint8, len(IF_COLUMN_NAMES)),
    "expected": (np.int32, -1),
    "narrow": (np.bool_, 0),
    "dialect": (np.uint8, BULK),
    "proven": (np.uint8, 0),
    "mute_rounds": (np.uint8, 0),
    "srtt_us": (np.uint32, 0),
    "rttvar_us": (np.uint32, 0),
    "rtt_s": (np.float32, np.nan),
    "baseline_s": (np.float32, np.nan),
    "level": (np.uint8, 0),
    "high": (np.uint8, 0),
    "calm": (np.uint8, 0),
    "patience": (np.uint8, CALM_ROUNDS),
    "spent": (np.bool_, 0),
    "sends": (np.uint16, 0),
}


class Pace:
    """What rounds have learnt of n devices, in columns.

    `repetitions`, `width`: rows and columns that fit into one answer; `expected`: ports it had (-1 unknown); `narrow`: no ifXTable;
    `dialect` (of `poll_state`), `proven`: has answered a GETBULK; `srtt_us`, `rttvar_us`: RFC 6298's; `rtt_s`: mean of the last round;
    `baseline_s`: what is usual for it; `level`: of backing off, after `high` rounds above and `calm` ones near the baseline, `patience` of which
    are needed; `spent`, `sends`: whether the last round used its budget up, and its requests.
    """

    repetitions: np.ndarray
    width: np.ndarray
    expected: np.ndarray
    narrow: np.ndarray
    dialect: np.ndarray
    proven: np.ndarray
    mute_rounds: np.ndarray
    srtt_us: np.ndarray
    rttvar_us: np.ndarray
    rtt_s: np.ndarray
    baseline_s: np.ndarray
    level: np.ndarray
    high: np.ndarray
    calm: np.ndarray
    patience: np.ndarray
    spent: np.ndarray
    sends: np.ndarray

    def __init__(self, n: int, askings: Sequence[Asking], asking_of: np.ndarray) -> None:
        """`asking_of`: int[n], which of `askings` holds for each."""
        for name, (kind, initial) in _LEARNT.items():
            setattr(self, name, np.full(n, initial, kind))
        self.askings = tuple(askings)
        self.asking_of = np.asarray(asking_of, np.int32)

        def column(kind: type, values: list[float]) -> np.ndarray:
            found: np.ndarray = np.array(values, kind)[self.asking_of]
            return found

        self.most_width = column(np.uint8, [asking.widest()[0] for asking in askings])
        self.most_repetitions = column(np.uint8, [asking.widest()[1] for asking in askings])
        self.pause_s = column(np.float64, [asking.pause_s for asking in askings])
        self.off = column(np.uint16, [asking.off() for asking in askings])
        self.next_only = column(np.bool_, [not asking.bulk for asking in askings])
        self.every = column(np.int64, [asking.every_rounds for asking in askings])
        self.budget_requests = column(np.uint16, [asking.budget_requests for asking in askings])
        self.budget_us = column(np.uint32, [asking.budget_s * 1e6 for asking in askings])
        self.budget_octets = column(np.uint32, [asking.budget_bytes for asking in askings])
        self.one_scalar = column(np.bool_, [asking.max_bindings == 1 for asking in askings])
        self.width[:] = self.most_width
        self.repetitions[:] = self.most_repetitions
        self.dialect[self.next_only] = NEXT

    def inherit(self, old: "Pace", mine: np.ndarray, theirs: np.ndarray) -> None:
        """Take over what `old` has learnt: device `mine[i]` here was `theirs[i]` there. The operator's settings stay this one's."""
        for name in _LEARNT:
            getattr(self, name)[mine] = getattr(old, name)[theirs]
        np.minimum(self.width, self.most_width, out=self.width)
        np.minimum(self.repetitions, self.most_repetitions, out=self.repetitions)
        self.dialect[self.next_only & (self.dialect == BULK)] = NEXT

    def due(self, members: np.ndarray, number: int) -> np.ndarray:
        """Those of `members` (int[k]) that are read in round `number`: all, but for models and backed-off devices that are read less often."""
        every = self.every[members] * SKIPPED_ROUNDS[self.level[members]]
        if every.max(initial=1) <= 1:
            return members
        chosen: np.ndarray = members[(number + members) % every == 0]
        return chosen

    def rows(self) -> np.ndarray:
        """uint8[n]: rows to ask for in one answer now."""
        most = np.minimum(self.repetitions, self.most_repetitions)
        rows: np.ndarray = np.maximum(1, most >> (self.level >= 2))
        return rows

    def columns_off(self) -> np.ndarray:
        """uint16[n]: masks of columns that are not read now."""
        found: np.ndarray = self.off | np.where(self.level >= 2, np.uint16(_OPTIONAL), np.uint16(0))
        return found

    def pauses_s(self) -> np.ndarray | None:
        """float64[n]: seconds between an answer and the next request now; None where nobody has any."""
        if not self.pause_s.any() and not self.level.any():
            return None
        own = np.minimum(self.srtt_us * 1e-6 * PAUSE_TRIPS[self.level], LONGEST_PAUSE_S)
        found: np.ndarray = np.maximum(self.pause_s, own)
        return found

    def learn_rtt(self, members: np.ndarray, rtt_s: np.ndarray) -> None:
        """A round is over: `rtt_s` (float[k]; NaN: none) is the mean of each of `members`. Levels rise and fall, baselines follow."""
        measured = ~np.isnan(rtt_s)
        devices, rtt = members[measured], rtt_s[measured].astype(np.float64)
        self.rtt_s[devices] = rtt
        fresh = np.isnan(self.baseline_s[devices])
        self.baseline_s[devices[fresh]] = rtt[fresh]
        base = self.baseline_s[devices].astype(np.float64)
        # What has risen for all of them is the collector's own slowness, or a way that all share: no device's fault.
        common = max(0.0, float(np.median(rtt - base))) if len(devices) >= FEW else 0.0
        rtt = np.maximum(rtt - common, 0.0)
        self.baseline_s[devices] = base + (rtt - base) * np.where(rtt < base, FALL, CREEP)
        self._rise(devices, rtt > RISE_FACTOR * base + RISE_S)
        self._fall(devices, rtt < CALM_FACTOR * base + CALM_S)

    def _rise(self, devices: np.ndarray, high: np.ndarray) -> None:
        self.high[devices] = np.where(high, np.minimum(self.high[devices] + 1, 200), 0)
        up = devices[high & (self.high[devices] >= RISE_ROUNDS)]
        self.high[up] = 0
        again = up[self.level[up] > 0]
        self.patience[again] = np.minimum(self.patience[again].astype(np.int64) * 2, MOST_CALM_ROUNDS)
        self.level[up] = np.minimum(self.level[up] + 1, MOST_LEVEL)

    def _fall(self, devices: np.ndarray, calm: np.ndarray) -> None:
        self.calm[devices] = np.where(calm, np.minimum(self.calm[devices] + 1, 200), 0)
        down = devices[calm & (self.calm[devices] >= self.patience[devices])]
        self.calm[down] = 0
        self.patience[down[self.level[down] == 0]] = CALM_ROUNDS
        self.level[down] = np.maximum(self.level[down].astype(np.int64) - 1, 0)

    def try_bulk_again(self, members: np.ndarray) -> None:
        """Now and then, those that were found mute (not those that the operator or v1 keeps from it)."""
        mute = members[(self.dialect[members] == NEXT) & ~self.next_only[members]]
        self.mute_rounds[mute] += 1
        again = mute[self.mute_rounds[mute] >= BULK_AGAIN_ROUNDS]
        self.mute_rounds[again] = 0
        self.dialect[again] = BULK
        self.repetitions[again] = self.most_repetitions[again]

    def words(self, device: int) -> dict[str, object]:
        """What is known of one device, for people: sizes, latency, level and why."""
        level = int(self.level[device])
        return {
            "rows": int(self.rows()[device]),
            "columns": int(self.width[device]),
            "dialect": ("getbulk", "getnext", "getnext-v1")[int(self.dialect[device])],
            "rtt_seconds": _number(self.rtt_s[device]),
            "baseline_seconds": _number(self.baseline_s[device]),
            "backed_off": level,
            "requests": int(self.sends[device]),
            "over_budget": bool(self.spent[device]),
        }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


__all__ = ["MOST_LEVEL", "NEXT_V1", "OPTIONAL", "Asking", "Pace", "mask_of"]
