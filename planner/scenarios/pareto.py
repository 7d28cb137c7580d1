"""What tighter latencies cost: the fleet planned for ever smaller shares of its targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.errors import InvalidInput
from planner.clock import Clock
from planner.fleet.fleet import Fleet, Target
from planner.pipeline import plan_fleet
from planner.plan import Plan

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


def frontier(fleet: Fleet, shares: Sequence[float], make_clock: Callable[[], Clock]) -> tuple[Point, ...]:
    """Plan for each share of the targets, from the whole down, until nothing can be planned.

    Raises
    ------
    InvalidInput
        A share that is not above 0 and at most 1.
    """
    for share in shares:
        if not 0 < share <= 1:
            raise InvalidInput(f"a share of the targets lies above 0 and at most 1, got {share:g}")
    plans: list[tuple[float, Plan]] = []
    for share in sorted(set(shares), reverse=True):
        clock = make_clock()
        plan = plan_fleet(tightened_fleet(fleet, share), clock).plan
        plans.append((share, plan))
        if not plan.instances or clock.is_cancelled:
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
