"""How each device is asked: the register's rules by model, in the poller's words. Pure, but for `read_asking`."""

from collections.abc import Iterable
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from collector.shared import Columns
from collector.targets import Targets
from inventory.models import AskingRule, table
from probes.snmp.pace import Asking

if TYPE_CHECKING:
    from collector.plan import Plan

SMALL_ROWS = 4
"""Fewer rows than these in an answer: it has said tooBig, or was silent, at more."""


class AskingRow(NamedTuple):
    """An enabled rule (inventory/models/asking.py says what its fields mean)."""

    name: str
    vendor: str
    model: str
    sys_object_id: str
    max_bindings: int | None
    max_repetitions: int | None
    pause_ms: int | None
    columns_off: str
    bulk: bool | None
    every_rounds: int | None
    budget_requests: int | None
    budget_seconds: float | None
    budget_kilobytes: int | None


class Asked(Protocol):
    """What of a device decides which rules fit."""

    @property
    def vendor(self) -> str:
        """As registered."""
        ...

    @property
    def model(self) -> str:
        """As registered."""
        ...

    @property
    def sys_object_id(self) -> str:
        """As it said."""
        ...


def read_asking(connection: Connection) -> list[AskingRow]:
    """The enabled rules, in their order. One SELECT."""
    row: Any = table(AskingRule)
    columns = [row.c[name] for name in AskingRow._fields]
    query = row.select().with_only_columns(*columns).where(row.c.enabled).order_by(row.c.position, row.c.id)
    return [AskingRow._make(values) for values in connection.execute(query)]


def askings_of(
    rules: list[AskingRow], devices: Iterable[Asked]
) -> tuple[tuple[Asking, ...], tuple[tuple[str, ...], ...], NDArray[np.int32]]:
    """(settings, the names of the rules behind each, which of them holds for each device); the first are those of no rule.

    Worked out once for each (vendor, model, sysObjectID): a province has a few hundred of them.
    """
    found: dict[tuple[AskingRow, ...], int] = {(): 0}
    known: dict[tuple[str, str, str], int] = {}
    which = []
    for device in devices:
        key = (device.vendor.lower(), device.model.lower(), device.sys_object_id.strip("."))
        if key not in known:
            fits = tuple(rule for rule in rules if _fits(rule, *key))
            known[key] = found.setdefault(fits, len(found))
        which.append(known[key])
    names = tuple(tuple(rule.name for rule in fits) for fits in found)
    return tuple(_settings(fits) for fits in found), names, np.array(which, np.int32)


def _fits(rule: AskingRow, vendor: str, model: str, sys_object_id: str) -> bool:
    start = rule.sys_object_id
    return (
        fnmatchcase(vendor, _pattern(rule.vendor))
        and fnmatchcase(model, _pattern(rule.model))
        and (not start or sys_object_id == start or sys_object_id.startswith(f"{start}."))
    )


def _settings(rules: tuple[AskingRow, ...]) -> Asking:
    """Each setting of the first rule that names it; what none names is the poller's own default."""

    def first(name: str) -> Any:
        return next((value for rule in rules if (value := getattr(rule, name)) not in (None, "")), None)

    usual = Asking()
    pause, kilobytes, off = first("pause_ms"), first("budget_kilobytes"), first("columns_off")
    return Asking(
        max_bindings=_or(first("max_bindings"), usual.max_bindings),
        max_repetitions=_or(first("max_repetitions"), usual.max_repetitions),
        pause_s=usual.pause_s if pause is None else pause / 1000,
        columns_off=tuple(off.split(",")) if off else (),
        bulk=_or(first("bulk"), usual.bulk),
        every_rounds=_or(first("every_rounds"), usual.every_rounds),
        budget_requests=_or(first("budget_requests"), usual.budget_requests),
        budget_s=_or(first("budget_seconds"), usual.budget_s),
        budget_bytes=usual.budget_bytes if kilobytes is None else kilobytes * 1024,
    )


def _or(value: Any, usual: Any) -> Any:
    return usual if value is None else value


def _pattern(text: str) -> str:
    """Only * and ? mean anything: models have brackets in their names."""
    return text.lower().replace("[", "[[]")


DIALECTS = ("getbulk", "getnext", "getnext-v1")


def tell_asking(targets: Targets, columns: Columns, target: int) -> dict[str, Any]:
    """How one device is asked, and why, ready for JSON: the rules by model, what it can answer, its latency, whether it is backed off."""
    which = int(targets.asking_of[target]) if targets.asking_of is not None else 0
    settings = targets.askings[which]
    rtt, usual = float(columns.snmp_rtt_s[target]), float(columns.snmp_usual_s[target])
    return {
        "rules": list(targets.asking_rules[which]),
        "settings": asdict(settings),
        "rows_in_an_answer": int(columns.snmp_rows[target]) or None,
        "columns_in_an_answer": int(columns.snmp_width[target]) or None,
        "dialect": DIALECTS[int(columns.snmp_dialect[target])],
        "rtt_seconds": None if np.isnan(rtt) else round(rtt, 6),
        "usual_rtt_seconds": None if np.isnan(usual) else round(usual, 6),
        "backed_off": int(columns.backed_off[target]),
        "requests": int(columns.snmp_sends[target]),
        "over_budget": bool(columns.over_budget[target]),
    }


def count_by_model(plan: "Plan", columns: Columns) -> dict[tuple[str, ...], float]:
    """(vendor, model, how) -> devices read by SNMP: `usual`, or any of `backed_off`, `small_answers`, `getnext`, `over_budget`."""
    read = (columns.reading_at > 0) | (columns.snmp_sends > 0)
    how = {
        "backed_off": columns.backed_off > 0,
        "small_answers": (columns.snmp_rows < SMALL_ROWS) & (columns.snmp_rows > 0) & (columns.snmp_dialect == 0),
        "getnext": columns.snmp_dialect > 0,
        "over_budget": columns.over_budget > 0,
    }
    how["usual"] = ~np.logical_or.reduce(list(how.values()))
    models, of = plan.models
    found: dict[tuple[str, ...], float] = {}
    for word, mask in how.items():
        for number, devices in enumerate(np.bincount(of[mask & read], minlength=len(models)).tolist()):
            if devices:
                found[(*models[number], word)] = float(devices)
    return found
