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
COARSE = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
"""Gaps of the searches after one that stopped far from its bound, each from what the one before it found."""
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
        self.rate = np.array([c.capacity_per_s for c in self.candidates])
        self.gpus = np.array([c.gpus for c in self.candidates], np.int64)
        self.share = np.zeros(len(self.columns))
        for n, (index, c) in enumerate(zip(self.columns, self.candidates, strict=True)):
            units = failure_units(fleet.pool(c.pool), policy)
            if units is not None:
                self.share[n] = min(1.0, problem.unevenness.get(index, 1) * c.groups / units)
        self.by_zone = policy == "zone"
        where = {name: place for place, name in enumerate(lost)}
        hit = [c.zone if policy == "zone" else c.pool for c in self.candidates]
        self.domain = np.array([-1 if policy is None else where[name] for name in hit], np.int64)
        self.zone = np.array([zones.index(c.zone) for c in self.candidates], np.int64)
        self.role = np.array([ROLES.index(c.role) for c in self.candidates], np.int64)
        supply = {p.name: p.usable_gpus - problem.withheld_gpus.get(p.name, 0) for p in fleet.pools}
        self.most = np.array([max(supply[c.pool], 0) // c.gpus for c in self.candidates], np.int64)
        self.most[[index in problem.barred for index in self.columns]] = 0
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
        if demand_per_s <= 0:
            return Answer(counts=(0,) * len(self.columns), price=0.0, bound=0.0)
        need = demand_per_s * (1 - ROUNDING)
        price: Floats = np.array([prices[pool] for pool in self.pools], np.float64) * self.gpus
        limit = self.most if most is None else np.minimum(self.most, most)
        start = np.zeros_like(self.most)
        if self.by_zone:
            begun = self._zones_apart(price, limit, need)
            if self.zones < 3:  # of two, either must serve all by itself: they have nothing in common
                return begun
            start = start if begun is None else np.array(begun.counts, np.int64)
        return self._search(self.order, self.domain, price, limit, need, start)

    def _zones_apart(self, price: Floats, limit: Ints, need: float) -> Answer | None:
        """The cheapest zones by themselves, each with its part of the demand when one of them is lost.

        The bound is one of all counts where there are two zones.
        """
        never, nothing = np.full_like(self.domain, -1), np.zeros_like(limit)
        found: list[Answer] = []
        for many in range(2, self.zones + 1):
            each = []
            for zone in range(self.zones):
                order = self.order[self.zone[self.order] == zone]
                alone = self._search(order, never, price, limit, need / (many - 1), nothing)
                each += [] if alone is None else [alone]
            if len(each) >= many:
                chosen = sorted(each, key=lambda answer: answer.price)[:many]
                counts = np.sum([answer.counts for answer in chosen], axis=0)
                found.append(
                    Answer(
                        counts=tuple(counts.tolist()),
                        price=sum(answer.price for answer in chosen),
                        bound=sum(answer.bound for answer in chosen),
                    )
                )
        return min(found, key=lambda answer: answer.price, default=None)

    def _search(
        self, order: Ints, domain: Ints, price: Floats, limit: Ints, need: float, start: Ints
    ) -> Answer | None:
        """Branch and bound over the candidates in `order`, those with a domain lost together."""
        from planner.sizing.kernel import search, workspace

        if not order.size:
            return None
        counts: Ints = start[order]
        table = (
            price[order], self.rate[order], self.share[order], domain[order], self.zone[order],
            self.role[order], limit[order], need,
        )  # fmt: skip
        domains = max(int(domain[order].max()) + 1, 1)
        made = workspace(len(order), domains, self.zones)
        value, bound, _ = search(table, made, GAP, MOST_NODES, counts)
        for gap in COARSE if bound < value * (1 - COARSE[-1]) < np.inf else ():
            # Stopped amid a wide search: leaving branches earlier finds what all of them are measured by.
            value, known, _ = search(table, made, gap, MOST_NODES, counts)
            bound = max(bound, known)
        if not np.isfinite(value):
            return None
        found = np.zeros_like(start)
        found[order] = counts
        return Answer(counts=tuple(found.tolist()), price=float(value), bound=float(bound))
