"""Rules of degradation: rows of the register, and which subjects of a plan each is of. Pure, but for `read_rules`."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from collector.degraded.subjects import Subjects, Traits
from collector.plan import Plan
from inventory.database import Register
from inventory.models import DegradedRule, table

Mask = NDArray[np.bool_]

SEVERITIES = ("warning", "minor", "major", "critical")
"""In order."""


class RuleRow(NamedTuple):
    """An enabled rule (inventory/models/rules.py says what its fields mean)."""

    id: int
    key: str
    name_zh: str
    name_en: str
    measure: str
    kinds: tuple[str, ...]
    vendor: str
    model: str
    operator: str
    region_id: int | None
    levels: tuple[str, ...]
    raise_at: float
    clear_at: float
    raise_after_s: int
    clear_after_s: int
    raise_rounds: int
    clear_rounds: int
    at_least: int
    severity: str
    during: str
    replaces_id: int | None


class RuleRows(tuple[RuleRow, ...]):
    """All enabled rules, in order of id."""


def read_rules(register: Register) -> RuleRows:
    """One SELECT."""
    row = table(DegradedRule)
    columns = [row.c[name] for name in RuleRow._fields]
    query = row.select().with_only_columns(*columns).where(row.c.enabled.is_(True)).order_by(row.c.id)
    with register.engine.connect() as connection:
        return RuleRows(RuleRow._make(map(_frozen, found)) for found in connection.execute(query))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def masks_of(plan: Plan, subjects: Subjects, rules: Iterable[RuleRow]) -> dict[int, Mask]:
    """rule id -> which of its measure's subjects it is of; where a rule replaces another, the other does not apply."""
    rules = list(rules)
    found = {rule.id: _mask(plan, subjects.traits_of(rule.measure), rule) for rule in rules}
    for rule in rules:
        replaced = found.get(rule.replaces_id) if rule.replaces_id is not None else None
        if replaced is not None and len(replaced) == len(found[rule.id]):
            replaced &= ~found[rule.id]
    return found


def _mask(plan: Plan, traits: Traits, rule: RuleRow) -> Mask:
    mask = np.ones(len(traits), np.bool_)
    if rule.kinds and traits.kind is not None:
        mask &= np.isin(traits.kind, rule.kinds)
    if rule.levels:
        mask &= np.isin(traits.level, rule.levels)
    if rule.region_id is not None:
        region = plan.regions.get(rule.region_id)
        path = region.path if region is not None else "//"
        inside = [r.id for r in plan.regions.values() if r.path.startswith(path)]
        mask &= np.isin(traits.place, inside) | np.isin(traits.duty, inside)
    for pattern, texts in ((rule.vendor, traits.vendor), (rule.model, traits.model), (rule.operator, traits.operator)):
        if pattern:
            mask &= _matches(pattern, texts, len(traits))
    return mask


def _matches(pattern: str, texts: NDArray[np.str_] | None, n: int) -> Mask:
    """Which texts fit a pattern with * and ?, in any case; none where the subjects have no such trait."""
    if texts is None:
        return np.zeros(n, np.bool_)
    words, where = np.unique(texts, return_inverse=True)
    fits = np.array([fnmatchcase(word.lower(), pattern.lower()) for word in words.tolist()], np.bool_)
    return np.asarray(fits[where] if len(words) else np.zeros(n, np.bool_), np.bool_)
