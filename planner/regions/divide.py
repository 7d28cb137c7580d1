"""Which region serves which workload: each workload sized alone in each region, and one way chosen for each.

For each workload and region, `planner.sizing.alone` finds counts of instances that serve the whole workload
there at the least price, losses and whole instances included: at the pools' prices, and at prices that make
one of the region's pools dear, so that there is a choice where supply is short. With g_{k,p} the GPUs that
way k takes of pool p, and x_k = 1 where it is chosen,

    Σ_{k of w} x_k = 1,     Σ_k g_{k,p} · x_k ≤ room_r · gpus_p,
    minimise Σ_p price_p · max(0, Σ_k g_{k,p} · x_k − reserved_p)  +  what reserved GPUs cost anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planner.candidates.candidate import Candidate
from planner.fleet.fleet import Fleet
from planner.regions.region import Region, regional_fleet
from planner.sizing.alone import Alone
from planner.sizing.problem import SizingProblem

__all__ = ["Way", "cost_bound", "divide", "ways_of"]

DEAR = (1.5, 4.0)
"""Times its price, at which other ways than the cheapest are looked for."""
GAP = 1e-3
"""Relative: the regions are sized again anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A workload served in one region: GPUs it takes, by pool."""

    workload: str
    region: str
    gpus: tuple[tuple[str, int], ...]


def ways_of(fleet: Fleet, candidates: Sequence[Candidate], regions: Sequence[Region]) -> tuple[Way, ...]:
    """What the workloads can be served by; none for a region that cannot carry a workload by itself."""
    found: dict[Way, None] = {}
    for workload in fleet.workloads:
        for region in regions:
            mine = [c for c in candidates if c.workload == workload.name and c.pool in region.pools]
            part = regional_fleet(fleet, region, {workload.name})
            alone = Alone(SizingProblem(fleet=part, candidates=tuple(mine)), workload.name)
            for prices in _price_lists(part):
                answer = alone.solve(_demand(fleet, workload.name), prices)
                if answer is None:
                    break
                used = dict.fromkeys(region.pools, 0)
                for candidate, count in zip(mine, answer.counts, strict=True):
                    used[candidate.pool] += count * candidate.gpus
                gpus = tuple((pool, number) for pool, number in used.items() if number)
                found[Way(workload=workload.name, region=region.name, gpus=gpus)] = None
    return tuple(found)


def _price_lists(fleet: Fleet) -> list[dict[str, float]]:
    stated = {pool.name: pool.price_per_gpu_hour for pool in fleet.pools}
    dear = [{**stated, name: price * factor} for name, price in stated.items() for factor in DEAR]
    return [stated, *dear] if len(stated) > 1 else [stated]


def divide(
    fleet: Fleet,
    ways: Sequence[Way],
    regions: Sequence[Region],
    *,
    room: Mapping[str, float],
    keep: Mapping[str, str],
    time_limit_s: float | None,
) -> dict[str, str] | None:
    """Region by workload; None where the workloads do not fit.

    Parameters
    ----------
    room
        Share of each region's GPUs that may be given away, by region.
    keep
        Workloads that stay where they are: region by workload.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    names = [workload.name for workload in fleet.workloads]
    pools = {pool.name: index for index, pool in enumerate(fleet.pools)}
    region_of_pool = {pool: region.name for region in regions for pool in region.pools}
    n_ways, n_pools = len(ways), len(pools)
    entries: list[tuple[int, int, float]] = []
    for column, way in enumerate(ways):
        entries.append((names.index(way.workload), column, 1.0))
        for pool, number in way.gpus:
            entries.append((len(names) + pools[pool], column, number))
            entries.append((len(names) + n_pools + pools[pool], column, number))
    for index in range(n_pools):
        entries.append((len(names) + n_pools + index, n_ways + index, -1.0))
    supply = [room[region_of_pool[pool.name]] * pool.usable_gpus for pool in fleet.pools]
    reserved = [float(pool.reserved_gpus) for pool in fleet.pools]
    lower = np.concatenate([np.ones(len(names)), np.full(2 * n_pools, -np.inf)])
    upper = np.concatenate([np.ones(len(names)), supply, reserved])
    highest = np.full(n_ways + n_pools, np.inf)
    highest[:n_ways] = [keep.get(way.workload, way.region) == way.region for way in ways]
    integral = np.zeros(n_ways + n_pools, np.int64)
    integral[:n_ways] = 1
    cost = np.concatenate([np.zeros(n_ways), [pool.price_per_gpu_hour for pool in fleet.pools]])
    rows, columns, values = zip(*entries, strict=True)
    matrix = coo_array((values, (rows, columns)), shape=(len(lower), n_ways + n_pools)).tocsr()
    found = milp(
        cost, constraints=LinearConstraint(matrix, lower, upper), bounds=Bounds(0.0, highest),
        integrality=integral, options={"mip_rel_gap": GAP, "time_limit": time_limit_s or np.inf},
    )  # fmt: skip
    if found.x is None:
        return None
    chosen = (way for way, share in zip(ways, found.x, strict=False) if share > 0.5)
    region_of = {way.workload: way.region for way in chosen}
    return {name: region_of[name] for name in names}


def cost_bound(fleet: Fleet, candidates: Sequence[Candidate]) -> float | None:
    """Price per hour below which no plan of the whole fleet is; None where a workload cannot be served.

    Every workload by itself has the fleet, at the pools' prices (the first bound of `planner.sizing.apart`):
    supply is forgotten, losses and whole instances are not.
    """
    prices = {pool.name: pool.price_per_gpu_hour for pool in fleet.pools}
    problem = SizingProblem(fleet=fleet, candidates=tuple(candidates))
    total = 0.0
    for workload in fleet.workloads:
        answer = Alone(problem, workload.name).solve(_demand(fleet, workload.name), prices)
        if answer is None:
            return None
        total += answer.bound
    # what reserved GPUs cost beside their price in use, at best: when all of them are used
    idle = (p.cost_per_hour(p.usable_gpus) - p.usable_gpus * p.price_per_gpu_hour for p in fleet.pools)
    return total + sum(idle)


def _demand(fleet: Fleet, workload: str) -> float:
    return fleet.workload(workload).rate_per_s * (1 + fleet.policies.headroom)
