"""The shipped rules of degradation, and how an upgrade brings new ones without touching what people have changed."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from inventory.database import Register
from inventory.models import DegradedRule, complete, table, utcnow

SHIPPED = Path(__file__).parent / "data" / "degraded.toml"

_OWN = frozenset({"changed", "row_version", "created_at", "updated_at"})
"""What a row has of its own, whatever the file says."""


@cache
def shipped_rules() -> tuple[dict[str, Any], ...]:
    """The rules as the file has them: key, names, measure, thresholds ..., each with the model's defaults."""
    rules = tomllib.loads(SHIPPED.read_text("utf-8"))["rule"]
    return tuple(
        {name: value for name, value in complete(DegradedRule, rule).items() if name not in _OWN} | {"shipped": True}
        for rule in rules
    )


def ship_rules(register: Register) -> int:
    """Bring the shipped rules into the register: new ones in, those that nobody has changed up to date. How many rows were written."""
    row = table(DegradedRule)
    with register.engine.connect() as connection:
        known = {found["key"]: found for found in connection.execute(select(row)).mappings()}
    if all(_is_current(rule, known.get(rule["key"])) for rule in shipped_rules()):
        return 0
    written = 0
    with register.write() as session:
        connection = session.connection()
        known = {found["key"]: found for found in connection.execute(select(row)).mappings()}
        for rule in shipped_rules():
            old = known.get(rule["key"])
            if _is_current(rule, old):
                continue
            if old is None:
                connection.execute(insert(row).values(complete(DegradedRule, rule)))
            else:
                fresh = {**rule, "row_version": old["row_version"] + 1, "updated_at": utcnow()}
                connection.execute(update(row).where(row.c.id == old["id"], row.c.changed.is_(False)).values(fresh))
            written += 1
    return written


def _is_current(rule: dict[str, Any], old: Any) -> bool:
    return old is not None and (old["changed"] or all(old[name] == value for name, value in rule.items()))
