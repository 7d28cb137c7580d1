"""Solving the sizing problem: tier after tier, each with time of its own, never worse than what runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from models.graph import evaluate
from models.graph.space import Ints
from planner.sizing.columns import assignment_of, counts_of
from planner.sizing.graph import UNSERVED, sizing_graph, tier_names
from planner.sizing.problem import SizingProblem
from solvers import SolveOptions, TierResult, solve
from solvers.result import CANCELLED, FEASIBLE, OPTIMAL, relative_gap

__all__ = ["COVERED_SHARE", "Sizing", "solve_sizing"]

COVERED_SHARE = 1e-6
"""Demand counts as served when at most this share of it is not: the solver's tolerance."""
HELD_TOLERANCE = 1e-7
"""What a tier already minimised may lose again, relative to its value and absolutely: rounding of the solver,
a tenth of what counts as served."""
TIER_SHARES: Mapping[str, float] = {"cost": 4.0, "growth": 4.0, "movement": 2.0}
"""Weights by which the time is dealt to the tiers, 1 where absent. What a tier leaves over the later ones
share, so a hard cost tier cannot take the time of the movement tier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """How many instances of each candidate.

    Parameters
    ----------
    status
        As `solvers.Result.status`.
    counts
        Instances by index of the candidate, none of them 0.
    tiers
        Goal tiers with bound and gap; each bound holds given the values of the tiers before.
    """

    status: str
    counts: Mapping[int, int]
    tiers: tuple[TierResult, ...]

    @property
    def unserved_share(self) -> float:
        """Sum over the workloads of the share of demand that is not served."""
        return sum(tier.value for tier in self.tiers if tier.name.startswith(UNSERVED))

    @property
    def covers_demand(self) -> bool:
        """Whether all demand is served."""
        return self.unserved_share <= COVERED_SHARE

    @property
    def shortage_is_proven(self) -> bool:
        """Whether some demand is proven to remain unserved."""
        bounds = [tier.bound or 0.0 for tier in self.tiers if tier.name.startswith(UNSERVED)]
        return max(bounds, default=0.0) > COVERED_SHARE


def solve_sizing(problem: SizingProblem, options: SolveOptions) -> Sizing:
    """Minimise the tiers in order; without any candidate nothing is served and nothing needs solving.

    The instances that run today are the first incumbent: if they are within the supply, the result is at
    least as good as they are, tier by tier, however little time there is.
    """
    if not problem.candidates:
        return _nothing(problem)
    names = tier_names(problem)
    deal = _Deal(options.time_limit_s, [TIER_SHARES.get(name, 1.0) for name in names])
    best = _standing(problem)
    bounds: list[float | None] = []
    held: dict[str, float] = {}
    status = OPTIMAL
    for position, name in enumerate(names):
        graph = sizing_graph(problem, minimise=name, held=held)
        result = solve(graph, replace(options, time_limit_s=deal.next(position), start=best))
        deal.spend(result.timings.total_s)
        if result.assignment is None:
            if best is None:
                return Sizing(status=result.status, counts={}, tiers=())
            # A start on the edge of what the tiers held allow may be refused for rounding: it stays.
            bounds.append(None)
            status = FEASIBLE
        else:
            best = result.assignment
            bounds.append(result.tiers[0].bound)
            status = status if result.status == OPTIMAL else result.status
        value = float(evaluate(graph, best).tiers[0])
        held[name] = value + HELD_TOLERANCE * max(abs(value), 1.0)
        if status == CANCELLED:
            break
    assert best is not None
    values = evaluate(sizing_graph(problem), best).tiers.tolist()
    bounds += [None] * (len(values) - len(bounds))
    counts = counts_of(best, len(problem.candidates))
    return Sizing(
        status=status,
        counts={candidate: count for candidate, count in enumerate(counts) if count},
        tiers=tuple(
            TierResult(name, value, bound, relative_gap(value, bound))
            for name, value, bound in zip(names, values, bounds, strict=True)
        ),
    )


def _standing(problem: SizingProblem) -> Ints | None:
    """What runs today as an assignment; None when nothing runs, or it is beyond the supply."""
    if not any(problem.running):
        return None
    graph = sizing_graph(problem)
    standing = assignment_of(problem.running, graph.space.n_objects)
    return standing if standing is not None and evaluate(graph, standing).feasible else None


def _nothing(problem: SizingProblem) -> Sizing:
    """The sizing without candidates: nothing is served, at no cost."""
    workloads = problem.fleet.workloads
    priorities = sorted({workload.priority for workload in workloads})
    missed = {p: float(sum(workload.priority == p for workload in workloads)) for p in priorities}
    tiers = tuple(TierResult(f"{UNSERVED}, priority {p}", missed[p], missed[p], 0.0) for p in priorities)
    return Sizing(status=OPTIMAL, counts={}, tiers=tiers)


class _Deal:
    """Deals a time limit to tiers by weight; what one leaves over goes to the later ones."""

    def __init__(self, limit_s: float | None, weights: list[float]) -> None:
        self.left_s = limit_s
        self.weights = weights

    def next(self, position: int) -> float | None:
        if self.left_s is None:
            return None
        return max(self.left_s * self.weights[position] / sum(self.weights[position:]), 0.05)

    def spend(self, seconds: float) -> None:
        if self.left_s is not None:
            self.left_s -= seconds
