"""How engines and rollouts are, over all tenants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import and_, case, func, select

from planner.store.plans import PlanStore
from planner.store.records import RolloutState
from planner.store.schema import engines, fleets, load_samples, promotions, rollouts

__all__ = ["EngineStatistics", "engine_statistics"]

DRIFT_WINDOW_S = 600.0
"""Samples of so long count towards the drift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatistics:
    """At one moment.

    Parameters
    ----------
    live_count, lost_count
        Engines, by whether their lease runs.
    rollout_counts
        Last rollouts of fleets, by state.
    oldest_plan_s
        Since the promotion of the plan that has been promoted the longest; None where none is.
    drifts
        By ``ttft`` and ``tpot``, mean and largest of reported over predicted latency, minus one; absent where
        nothing was reported.
    """

    live_count: int
    lost_count: int
    rollout_counts: Mapping[RolloutState, int]
    oldest_plan_s: float | None
    drifts: Mapping[str, tuple[float, float]]


def engine_statistics(store: PlanStore) -> EngineStatistics:
    """Count what a store has, in one read."""
    now = store.now_us()
    alive = case((engines.c.seen_us + engines.c.lease_us > now, 1), else_=0)
    newest = (
        select(rollouts.c.tenant, rollouts.c.fleet, func.max(rollouts.c.generation).label("generation"))
        .group_by(rollouts.c.tenant, rollouts.c.fleet)
        .subquery()
    )
    states = (
        select(rollouts.c.state, func.count())
        .join(
            newest,
            and_(
                rollouts.c.tenant == newest.c.tenant,
                rollouts.c.fleet == newest.c.fleet,
                rollouts.c.generation == newest.c.generation,
            ),
        )
        .group_by(rollouts.c.state)
    )
    promoted = (
        select(func.max(promotions.c.create_us).label("since"))
        .join(fleets, and_(promotions.c.tenant == fleets.c.tenant, promotions.c.fleet == fleets.c.name))
        .where(fleets.c.promoted_plan_id.is_not(None))
        .group_by(promotions.c.tenant, promotions.c.fleet)
        .subquery()
    )
    recent = load_samples.c.end_us > now - round(DRIFT_WINDOW_S * 1e6)
    drifts: dict[str, tuple[float, float]] = {}
    with store.database.read() as connection:
        total, live = connection.execute(
            select(func.count(engines.c.id), func.coalesce(func.sum(alive), 0))
        ).one()
        counts = {RolloutState(state): int(count) for state, count in connection.execute(states)}
        oldest = connection.execute(select(func.min(promoted.c.since))).scalar_one()
        for name in ("ttft", "tpot"):
            drift = load_samples.c[f"{name}_drift"]
            mean, most = connection.execute(
                select(func.avg(drift), func.max(drift)).where(recent, drift.is_not(None))
            ).one()
            if mean is not None:
                drifts[name] = (float(mean), float(most))
    return EngineStatistics(
        live_count=int(live), lost_count=int(total) - int(live), rollout_counts=counts,
        oldest_plan_s=None if oldest is None else max(0, now - oldest) / 1e6, drifts=drifts,
    )  # fmt: skip
