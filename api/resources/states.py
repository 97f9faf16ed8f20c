"""The state of a school, site, line or device beside its row, from what the collector last wrote."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import ColumnElement, Select, and_, case, cast, func, literal
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel

from inventory.models import Device, NodeKind, NodeState, State, Watch, table

StateField = Annotated[State, Field(description="As the judge last saw it.")]
SinceField = Annotated[datetime | None, Field(description="Since when it is in this state; null: not known.")]


class StateJoin:
    """The left join of one kind's states to its table: `columns` and `filters` of a resource, and `join`."""

    def __init__(self, kind: NodeKind, model: type[SQLModel]) -> None:
        self.kind = kind
        self._own = table(model)
        self._state = aliased(table(NodeState), name=f"{kind.value}_state")  # type: ignore[var-annotated]  # SQLAlchemy's own
        self.state: ColumnElement[Any] = func.coalesce(self._state.c.state, self._without())
        self.columns: dict[str, ColumnElement[Any]] = {
            "state": self.state,
            "since": self._state.c.since,
            "reason": func.coalesce(self._state.c.reason, ""),
        }

    def join(self, statement: Select[Any]) -> Select[Any]:
        """`statement` with the states beside it."""
        on = and_(self._state.c.kind == self.kind, self._state.c.node_id == self._own.c.id)
        return statement.join(self._state, on, isouter=True)

    def column(self, name: str) -> ColumnElement[Any]:
        """Another column of the state's row."""
        found: ColumnElement[Any] = self._state.c[name]
        return found

    def is_in(self, states: list[State]) -> ColumnElement[bool]:
        """The filter `state=`."""
        return self.state.in_(states)

    def _without(self) -> ColumnElement[Any]:
        """The word for what the judge never wrote of: not watched, not yet seen, else unknown."""
        kind = self._state.c.state.type
        not_watched, not_seen, unknown = (  # cast: PostgreSQL takes a CASE of literals for text, not for its enum
            cast(literal(state, kind), kind) for state in (State.not_watched, State.not_seen, State.unknown)
        )
        if self.kind is not NodeKind.device:
            return not_watched
        device = table(Device)
        return case(
            (device.c.watch == Watch.none, not_watched), (device.c.first_seen.is_(None), not_seen), else_=unknown
        )
