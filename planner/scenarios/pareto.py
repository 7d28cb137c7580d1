"""What tighter latencies cost: the fleet planned for ever smaller shares of its targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.errors import InvalidInput
from planner.executors import Executor
from planner.fleet.fleet import Fleet, Target
from planner.options import PlanOptions, Progress
from planner.plan import Plan
from planner.tasks import PlanTask, plan_all

__all__ = ["Point", "frontier", "tightened_fleet"]

TOLERANCE = 1e-9
"""Relative difference of two costs that is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The cheapest plan whose latencies stay below a share of the targets.

    Parameters
    ----------
    share
        Of every TTFT and TPOT target; ``1 - share`` is the headroom.
    efficient
        No point with at least its headroom costs as little: the others are dominated.
    """

    share: float
    plan: Plan
    efficient: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        served = bool(self.plan.instances)
        return {
            "headroom": round(1.0 - self.share, 12),
            "state": self.plan.state,
            "cost_per_hour": self.plan.cost_per_hour if served else None,
            "gpus": sum(pool.gpus_used for pool in self.plan.pools),
            "efficient": self.efficient,
            "workloads": {w.name: {"ttft_ms": w.ttft_ms, "tpot_ms": w.tpot_ms} for w in self.plan.workloads},
        }


def frontier(
    fleet: Fleet,
    shares: Sequence[float],
    options: PlanOptions,
    executor: Executor,
    *,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Point, ...]:
    """Plan for each share of the targets, from the whole down to the first for which nothing can be planned.

    The plans are made side by side, so that some beyond that share may be made in vain. After a cancellation
    the points end where the plans do.

    Raises
    ------
    InvalidInput
        A share that is not above 0 and at most 1.
    """
    for share in shares:
        if not 0 < share <= 1:
            raise InvalidInput(f"a share of the targets lies above 0 and at most 1, got {share:g}")
    falling = sorted(set(shares), reverse=True)
    tasks = [PlanTask(fleet=tightened_fleet(fleet, share), options=options) for share in falling]
    made = plan_all(tasks, executor, progress=progress, cancelled=cancelled)
    plans: list[tuple[float, Plan]] = []
    for share, plan in zip(falling, made, strict=True):
        if plan is None:
            break
        plans.append((share, plan))
        if not plan.instances:
            break
    return tuple(
        Point(
            share=share,
            plan=plan,
            efficient=bool(plan.instances)
            and not any(
                later.instances and later.cost_per_hour <= plan.cost_per_hour * (1 + TOLERANCE)
                for _, later in plans[position + 1 :]
            ),
        )
        for position, (share, plan) in enumerate(plans)
    )


def tightened_fleet(fleet: Fleet, share: float) -> Fleet:
    """The fleet with every latency target multiplied by `share`."""

    def tight(target: Target) -> Target:
        return replace(target, limit_ms=target.limit_ms * share)

    workloads = tuple(replace(w, ttft=tight(w.ttft), tpot=tight(w.tpot)) for w in fleet.workloads)
    return replace(fleet, workloads=workloads)
