"""One workload by itself, at a price for each GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planner.sizing.problem import SizingProblem, failure_units

__all__ = ["Alone", "Answer"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GAP = 2e-5
"""Relative gap at which a branch of the search is left."""
MOST_NODES = 50_000
"""Nodes after which the search stops with the bound it has: some 50 ms."""
ROUNDING = 1e-7
"""Share of a demand that may be missing: as in the graph."""
ROLES = ("mixed", "prefill", "decode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Counts that serve a workload, and what they cost.

    Parameters
    ----------
    counts
        By the workload's candidates in the order of the problem.
    price, bound
        At the prices asked for; no counts that serve the demand have less than `bound`.
    """

    counts: tuple[int, ...]
    price: float
    bound: float


class Alone:
    """The candidates of one workload as arrays; what one search is asked of is a demand and prices.

    Parameters
    ----------
    columns
        Indices of its candidates in the problem.
    """

    def __init__(self, problem: SizingProblem, workload: str) -> None:
        fleet = problem.fleet
        policy = fleet.policies.loss_of
        self.columns = [i for i, c in enumerate(problem.candidates) if c.workload == workload]
        self.candidates = [problem.candidates[i] for i in self.columns]
        zones = sorted({c.zone for c in self.candidates})
        lost = zones if policy == "zone" else sorted({c.pool for c in self.candidates})
        self.zones = max(len(zones), 1)
        self.domains = max(len(lost), 1)
        self.rate = np.array([c.capacity_per_s for c in self.candidates])
        self.gpus = np.array([c.gpus for c in self.candidates], np.int64)
        self.share = np.zeros(len(self.columns))
        for n, (index, c) in enumerate(zip(self.columns, self.candidates, strict=True)):
            units = failure_units(fleet.pool(c.pool), policy)
            if units is not None:
                self.share[n] = min(1.0, problem.unevenness.get(index, 1) * c.groups / units)
        where = {name: place for place, name in enumerate(lost)}
        hit = [c.zone if policy == "zone" else c.pool for c in self.candidates]
        self.domain = np.array([-1 if policy is None else where[name] for name in hit], np.int64)
        self.zone = np.array([zones.index(c.zone) for c in self.candidates], np.int64)
        self.role = np.array([ROLES.index(c.role) for c in self.candidates], np.int64)
        supply = {p.name: p.usable_gpus - problem.withheld_gpus.get(p.name, 0) for p in fleet.pools}
        self.most = np.array([max(supply[c.pool], 0) // c.gpus for c in self.candidates], np.int64)
        self.most[[index in problem.barred for index in self.columns]] = 0
        self.most[[n for n, index in enumerate(self.columns) if index in problem.barred]] = 0
        # What one loss takes down falls along the search, so that a branch knows it early.
        self.order = np.lexsort((np.arange(len(self.columns)), self.gpus, -self.rate))
        self.pools = [c.pool for c in self.candidates]

    def solve(
        self, demand_per_s: float, prices: Mapping[str, float], most: Ints | None = None
    ) -> Answer | None:
        """Least price of serving a demand at prices of a GPU by pool; None where nothing serves it.

        Parameters
        ----------
        most
            int64[candidate]: counts not to be exceeded; None: the supply.
        """
        from planner.sizing.kernel import search

        if demand_per_s <= 0:
            return Answer(counts=(0,) * len(self.columns), price=0.0, bound=0.0)
        order, k = self.order, len(self.order)
        price = np.array([prices[pool] for pool in self.pools]) * self.gpus
        counts: Ints = np.zeros(k, np.int64)
        limit = self.most if most is None else np.minimum(self.most, most)
        table = (
            price[order], self.rate[order], self.share[order], self.domain[order], self.zone[order],
            self.role[order], limit[order], demand_per_s * (1 - ROUNDING),
        )  # fmt: skip
        sums = np.empty((2, k + 2, self.domains, self.zones, 3))
        made = (sums[0], sums[1], *np.zeros((4, k), np.int64), np.zeros(k + 1))
        value, bound, _ = search(table, made, GAP, MOST_NODES, counts)
        if not np.isfinite(value):
            return None
        found = np.zeros_like(counts)
        found[order] = counts
        return Answer(counts=tuple(found.tolist()), price=float(value), bound=float(bound))
