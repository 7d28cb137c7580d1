"""Rows of ``plan_events``."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import Connection, func, insert, select

from planner.store.records import EventRecord, PlanState
from planner.store.schema import plan_events

__all__ = ["append_event", "events_after", "last_event"]


def append_event(
    connection: Connection,
    plan_id: str,
    *,
    create_us: int,
    state: PlanState,
    phase: str,
    elapsed_s: float,
    objective: float | None,
    bound: float | None,
    gap: float | None,
) -> EventRecord:
    """Add one event with the next sequence number of its plan; infinite and undefined numbers become None."""
    last = connection.execute(
        select(func.coalesce(func.max(plan_events.c.sequence), 0)).where(plan_events.c.plan_id == plan_id)
    ).scalar_one()
    numbers = {"objective": objective, "bound": bound, "gap": gap}
    connection.execute(
        insert(plan_events).values(
            plan_id=plan_id,
            sequence=last + 1,
            create_us=create_us,
            state=state.value,
            phase=phase[:64],
            elapsed_us=round(elapsed_s * 1e6),
            **{name: _finite(value) for name, value in numbers.items()},
        )
    )
    row = connection.execute(
        select(plan_events).where(plan_events.c.plan_id == plan_id, plan_events.c.sequence == last + 1)
    ).one()
    return _event(row)


def events_after(connection: Connection, plan_id: str, after_sequence: int, limit: int) -> list[EventRecord]:
    """Events of a plan above a sequence number, in order."""
    query = (
        select(plan_events)
        .where(plan_events.c.plan_id == plan_id, plan_events.c.sequence > after_sequence)
        .order_by(plan_events.c.sequence)
        .limit(limit)
    )
    return [_event(row) for row in connection.execute(query)]


def last_event(connection: Connection, plan_id: str) -> EventRecord | None:
    """The event of a plan with the highest sequence number, or None."""
    query = (
        select(plan_events)
        .where(plan_events.c.plan_id == plan_id)
        .order_by(plan_events.c.sequence.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _event(row)


def _event(row: Any) -> EventRecord:
    return EventRecord(
        plan_id=row.plan_id,
        sequence=row.sequence,
        create_us=row.create_us,
        state=PlanState(row.state),
        phase=row.phase,
        elapsed_s=row.elapsed_us / 1e6,
        objective=row.objective,
        bound=row.bound,
        gap=row.gap,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
