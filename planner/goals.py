"""What is proven about a plan: its goal tiers and its state."""

from __future__ import annotations

from collections.abc import Sequence

from planner.clock import PROVEN_GAP
from planner.plan import Objective, State, WorkloadOutcome
from planner.rounds import Rounds
from solvers.result import relative_gap

__all__ = ["merged_objectives", "plan_state"]


def merged_objectives(rounds: Rounds) -> tuple[Objective, ...]:
    """Return the goal tiers of sizing, then those of each pool's placement.

    Values are those of the last sizing, bounds those of the first: it assumed the most even spread, so no
    plan has less. After a tier that missed its bound the later bounds are conditional on what was not
    reached, and nothing is claimed.
    """
    objectives = []
    attained = True
    for tier, first in zip(rounds.sizing.tiers, rounds.bounds, strict=True):
        bound = first.bound if attained else None
        # Never above the value (rounding of the solver), and never −0.0.
        bound = min(bound, tier.value) + 0.0 if bound is not None else None
        gap = relative_gap(tier.value, bound)
        attained = attained and gap is not None and gap <= PROVEN_GAP
        objectives.append(Objective(stage="sizing", name=tier.name, value=tier.value, bound=bound, gap=gap))
    results = rounds.placement.results if rounds.placement is not None else {}
    for pool, result in results.items():
        objectives += [
            Objective(stage="placement", name=f"{pool}: {t.name}", value=t.value, bound=t.bound, gap=t.gap)
            for t in result.tiers
        ]
    return tuple(objectives)


def plan_state(
    rounds: Rounds, outcomes: Sequence[WorkloadOutcome], shortage: str, *, cancelled: bool
) -> State:
    """Return what is known about the plan; see `planner.plan.State`."""
    if cancelled:
        return "cancelled"
    sizing = rounds.sizing
    if sizing.status == "infeasible":
        return "infeasible"
    if not sizing.tiers:
        return "unknown"
    if shortage == "refuse" and not sizing.covers_demand:
        return "infeasible" if sizing.shortage_is_proven else "unknown"
    placement = rounds.placement
    if placement is None:
        return "unknown"
    if placement.misplaced:
        hopeless = all(result.status != "unknown" for result in placement.results.values())
        return "infeasible" if hopeless else "unknown"
    if shortage == "refuse" and any(outcome.unserved_per_s > 0 for outcome in outcomes):
        return "unknown"
    proven = sizing.status == "optimal" and rounds.count == 1
    proven = proven and all(result.status == "optimal" for result in placement.results.values())
    return "optimal" if proven else "feasible"
