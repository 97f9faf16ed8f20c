"""What every table shares: aware datetimes, the kinds of nodes, the words for states."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import DateTime, Table
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel


def table(model: type[SQLModel]) -> Table:
    """The Core table of a model, for bulk statements."""
    found = getattr(model, "__table__", None)
    if not isinstance(found, Table):
        raise TypeError(f"{model.__name__} is no table")
    return found


def complete(model: type[SQLModel], row: Mapping[str, Any]) -> dict[str, Any]:
    """`row` with the model's defaults for what it does not name: Core inserts know none of them. No `id` where none is given."""
    made = {name: value() if callable(value) else value for name, value in _defaults(model).items() if name not in row}
    return {**made, **row}


@cache
def _defaults(model: type[SQLModel]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name != "id" and not field.is_required():
            found[name] = field.default_factory or field.default
    return found


def utcnow() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC; a naive one is refused with ValueError, on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: give it a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class NodeKind(StrEnum):
    """What can have a state. `device`, `line` and `site` are nodes of the judge; `school` is summed up from them."""

    device = "device"
    line = "line"
    site = "site"
    school = "school"


NODE_KINDS = tuple(NodeKind)


class State(StrEnum):
    """The words for states, the same in the database, pages, metrics and messages (PAGES.md, Signs)."""

    up = "up"
    down = "down"
    degraded = "degraded"
    flapping = "flapping"
    maintenance = "maintenance"
    planned_off = "planned_off"
    not_seen = "not_seen"
    agent_silent = "agent_silent"
    doubtful = "doubtful"
    unknown = "unknown"
    not_watched = "not_watched"


def node_id(kind: NodeKind | str, number: int) -> str:
    """The judge's id of a row: `device:123`, `line:45`, `site:7`, `school:9`."""
    return f"{kind}:{number}"


def parse_node_id(text: str) -> tuple[NodeKind, int]:
    """`device:123` as (NodeKind.device, 123). ValueError where it is no such id."""
    kind, _, number = text.partition(":")
    return NodeKind(kind), int(number)
