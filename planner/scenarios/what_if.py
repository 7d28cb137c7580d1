"""A fleet as it is and as it would be: both planned, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from planner.clock import Clock
from planner.fleet.fleet import Fleet
from planner.pipeline import plan_fleet
from planner.plan import Plan
from planner.plan.cut import cut_label
from planner.scenarios.change import Change, apply_changes

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two plans.

    Parameters
    ----------
    words
        What was changed.
    before, after
        The plan of the fleet as it is, and of the changed one on the way from it.
    """

    words: tuple[str, ...]
    before: Plan
    after: Plan

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the figures that differ between plans, not their instances."""
        transition = self.after.transition
        return {
            "changes": list(self.words),
            "before": _figures(self.before),
            "after": _figures(self.after),
            "moves": dict(sorted(Counter(move.action for move in self.after.moves).items())),
            "transition_s": transition.duration_s if transition is not None else None,
        }


def compare(fleet: Fleet, changes: Sequence[Change], clocks: tuple[Clock, Clock]) -> Comparison:
    """Plan the fleet, then the changed one with the first plan running; one clock each."""
    changed = apply_changes(fleet, changes)  # before planning: a wrong name is told at once
    before = plan_fleet(fleet, clocks[0]).plan
    after = plan_fleet(changed, clocks[1], current=before if before.instances else None).plan
    return Comparison(words=tuple(change.words for change in changes), before=before, after=after)


def _figures(plan: Plan) -> dict[str, Any]:
    shapes = Counter((i.workload, f"{i.role} {cut_label(i)} on {i.pool}") for i in plan.instances)
    return {
        "state": plan.state,
        "cost_per_hour": plan.cost_per_hour if plan.instances else None,
        "gpus": {pool.name: pool.gpus_used for pool in plan.pools},
        "workloads": {
            w.name: {
                "demand_per_s": w.demand_per_s,
                "capacity_after_a_loss_per_s": w.surviving_capacity_per_s,
                "unserved_per_s": w.unserved_per_s,
                "ttft_ms": w.ttft_ms,
                "tpot_ms": w.tpot_ms,
                "instances": {shape: n for (name, shape), n in sorted(shapes.items()) if name == w.name},
            }
            for w in plan.workloads
        },
        "verified": plan.verification.met if plan.verification is not None else None,
        "infeasible": plan.diagnosis.message if plan.diagnosis is not None else None,
        "closest": plan.diagnosis.closest if plan.diagnosis is not None else None,
    }
