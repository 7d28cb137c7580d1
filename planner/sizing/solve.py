"""Solving the sizing problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from planner.sizing.graph import sizing_graph
from planner.sizing.problem import SizingProblem
from solvers import SolveOptions, TierResult, solve

__all__ = ["COVERED_SHARE", "Sizing", "solve_sizing"]

COVERED_SHARE = 1e-6
"""Demand counts as served when at most this share of it is not: the solver's tolerance."""


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
        Goal tiers with bound and gap.
    """

    status: str
    counts: Mapping[int, int]
    tiers: tuple[TierResult, ...]

    @property
    def unserved_share(self) -> float:
        """Sum over the workloads of the share of demand that is not served."""
        return sum(tier.value for tier in self.tiers if tier.name.startswith("unserved_demand"))

    @property
    def covers_demand(self) -> bool:
        """Whether all demand is served."""
        return self.unserved_share <= COVERED_SHARE

    @property
    def shortage_is_proven(self) -> bool:
        """Whether some demand is proven to remain unserved."""
        bounds = [tier.bound or 0.0 for tier in self.tiers if tier.name.startswith("unserved_demand")]
        return max(bounds, default=0.0) > COVERED_SHARE


def solve_sizing(problem: SizingProblem, options: SolveOptions) -> Sizing:
    """Solve; without any candidate nothing is served and nothing needs solving."""
    if not problem.candidates:
        workloads = problem.fleet.workloads
        priorities = sorted({workload.priority for workload in workloads})
        missed = {p: float(sum(workload.priority == p for workload in workloads)) for p in priorities}
        tiers = tuple(
            TierResult(f"unserved_demand, priority {p}", missed[p], missed[p], 0.0) for p in priorities
        )
        return Sizing(status="optimal", counts={}, tiers=tiers)
    result = solve(sizing_graph(problem), options)
    if result.assignment is None:
        return Sizing(status=result.status, counts={}, tiers=())
    chosen, counts = np.unique(result.assignment[result.assignment >= 0], return_counts=True)
    return Sizing(
        status=result.status,
        counts=dict(zip(chosen.tolist(), counts.tolist(), strict=True)),
        tiers=result.tiers,
    )
