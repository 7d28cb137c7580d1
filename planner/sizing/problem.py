"""The sizing problem: how many instances of which candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from planner.candidates.candidate import Candidate
from planner.fleet.demand import placed_at
from planner.fleet.fleet import Fleet, Pool

__all__ = ["SizingProblem", "failure_units"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingProblem:
    """What sizing decides on; `planner.sizing.graph` states it as an expression graph.

    Parameters
    ----------
    fleet
        Demand, supply, policies and goals.
    candidates
        Columns.
    current
        Number of running instances by `Candidate.shape`.
    unevenness
        By index of a candidate: how many times more of its instances than an even spread puts there one node
        (or rack) may hold. 1 where absent; grown when placement cannot spread as evenly as sizing assumed.
    withheld_gpus
        By pool: GPUs that groups could not be packed into, learnt from placement.
    barred
        Indices of candidates that may not be used, learnt from placement: their caches do not fit the links.
    owned_gpus
        By pool: the GPUs there are, for the question how many are missing. The pools of `fleet` are then
        larger than they are, and the only goal after unserved demand is the price of what is used beyond.
    neighbours
        Of a period: counts by candidate in the period before and in the one after, None where there is none.
        The only goal after unserved demand is then the price of the period and of what starts around it.
    """

    fleet: Fleet
    candidates: tuple[Candidate, ...]
    current: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    unevenness: Mapping[int, int] = field(default_factory=dict)
    withheld_gpus: Mapping[str, int] = field(default_factory=dict)
    barred: frozenset[int] = frozenset()
    owned_gpus: Mapping[str, int] | None = None
    neighbours: tuple[tuple[int, ...] | None, tuple[int, ...] | None] | None = None

    def at(self, period: int) -> SizingProblem:
        """Return the problem of one of the fleet's periods, with nothing running."""
        workloads = tuple(placed_at(workload, period) for workload in self.fleet.workloads)
        return replace(self, fleet=replace(self.fleet, workloads=workloads), current={})

    @property
    def running(self) -> tuple[int, ...]:
        """Number of running instances of each candidate."""
        return tuple(self.current.get(candidate.shape, 0) for candidate in self.candidates)

    @property
    def learnt(self) -> bool:
        """Whether placement has taught anything: the supply is then smaller than that of the fleet."""
        return bool(self.unevenness or self.withheld_gpus or self.barred)

    def demand_per_s(self, workload: str) -> float:
        """Rate of a workload with headroom."""
        return self.fleet.workload(workload).rate_per_s * (1 + self.fleet.policies.headroom)

    def loss_shares(self) -> Floats:
        """float64[candidate]: share of its instances that one loss takes down, evenly spread; 0: nothing."""
        policy = self.fleet.policies.loss_of
        units = {pool.name: failure_units(pool, policy) for pool in self.fleet.pools}
        share = np.zeros(len(self.candidates))
        for index, candidate in enumerate(self.candidates):
            among = units[candidate.pool]
            if among is not None:
                share[index] = min(1.0, self.unevenness.get(index, 1) * candidate.groups / among)
        return share

    def spread_limit(self, index: int, count: int) -> int | None:
        """Most groups of candidate `index` that one node or rack may hold; None without such a policy."""
        candidate = self.candidates[index]
        units = failure_units(self.fleet.pool(candidate.pool), self.fleet.policies.loss_of)
        if units is None or self.fleet.policies.loss_of == "zone":
            return None
        return -(-self.unevenness.get(index, 1) * count * candidate.groups // units)


def failure_units(pool: Pool, loss_of: str | None) -> int | None:
    """Return how many nodes, racks or zones, whichever the policy may lose, a pool is in; None without it."""
    return {None: None, "node": pool.nodes_in_service, "rack": pool.racks_in_service, "zone": 1}[loss_of]
