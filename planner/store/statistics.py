"""How much there is and how long it waits, over all tenants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select

from planner.store.plans import PlanStore
from planner.store.records import PlanState
from planner.store.schema import plans

__all__ = ["Statistics", "statistics"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Counts of plans at one moment.

    Parameters
    ----------
    count_by_state
        States without plans are absent.
    waiting_count
        Plans to be claimed: queued, or running for an owner whose lease expired.
    oldest_waiting_s
        Since the oldest of them was asked for; 0 when there is none, or the clock went back.
    """

    count_by_state: Mapping[PlanState, int]
    waiting_count: int
    oldest_waiting_s: float


def statistics(store: PlanStore) -> Statistics:
    """Count the plans of a store, in one read."""
    now = store.now_us()
    by_state = select(plans.c.state, func.count()).group_by(plans.c.state)
    waiting = or_(
        plans.c.state == PlanState.QUEUED.value,
        and_(plans.c.state == PlanState.RUNNING.value, plans.c.lease_expire_us < now),
    )
    with store.database.read() as connection:
        counts = {PlanState(state): int(count) for state, count in connection.execute(by_state)}
        waiting_count, oldest_us = connection.execute(
            select(func.count(), func.min(plans.c.create_us)).where(waiting)
        ).one()
    age_us = 0 if oldest_us is None else max(0, now - oldest_us)
    return Statistics(count_by_state=counts, waiting_count=int(waiting_count), oldest_waiting_s=age_us / 1e6)
