"""Which region serves which workload: a small mixed-integer problem over rates, without counts of instances.

Rates f_c ≥ 0 of candidates c, and z_{w,r} = 1 where region r serves workload w:

    Σ_r z_{w,r} = 1
    Σ_{c mixed or prefill, of w in r} f_c = demand_w · z_{w,r}
    Σ_{c prefill, of w in r} f_c = Σ_{c decode, of w in r} f_c
    u_p = Σ_{c on p} f_c · gpus_c · (1 / capacity_c + spare / demand_w) ≤ room_r · gpus_p
    minimise Σ_p price_p · max(0, u_p − reserved_p)  +  what reserved GPUs cost anyway

``spare`` instances of each way to run stand for what rounding up and surviving a loss take. With ``spare`` 0,
``room`` 1 and z continuous it is a relaxation of the joint problem: no plan of the fleet costs less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from planner.candidates.candidate import Candidate
from planner.fleet.fleet import Fleet
from planner.regions.region import Region

__all__ = ["Division", "cost_bound", "divide"]

TINY = 1e-9
GAP = 1e-3
"""Relative: prices of a division are rough anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """Region of each workload, and what the rates alone would cost per hour."""

    region_of: Mapping[str, str]
    cost_per_hour: float


def divide(
    fleet: Fleet,
    candidates: Sequence[Candidate],
    regions: Sequence[Region],
    *,
    room: Mapping[str, float],
    keep: Mapping[str, str],
    time_limit_s: float | None,
) -> Division | None:
    """Give every workload to one region; None where the rates alone do not fit.

    Parameters
    ----------
    room
        Share of each region's GPUs that may be given away, by region.
    keep
        Workloads that stay where they are: region by workload.
    """
    spare = 0.5 if fleet.policies.loss_of is None else 1.0
    solved = _solve(
        fleet, candidates, regions, room, spare=spare, whole=True, keep=keep, time_limit_s=time_limit_s
    )
    if solved is None:
        return None
    cost, chosen = solved
    region_of = {
        workload.name: regions[int(np.argmax(chosen[index]))].name
        for index, workload in enumerate(fleet.workloads)
    }
    return Division(region_of=region_of, cost_per_hour=cost)


def cost_bound(fleet: Fleet, candidates: Sequence[Candidate], regions: Sequence[Region]) -> float | None:
    """Price per hour below which no plan of the whole fleet can be; None where the rates do not fit."""
    room = {region.name: 1.0 for region in regions}
    solved = _solve(fleet, candidates, regions, room, spare=0.0, whole=False, keep={}, time_limit_s=None)
    return None if solved is None else solved[0]


def _solve(
    fleet: Fleet,
    candidates: Sequence[Candidate],
    regions: Sequence[Region],
    room: Mapping[str, float],
    *,
    spare: float,
    whole: bool,
    keep: Mapping[str, str],
    time_limit_s: float | None,
) -> tuple[float, npt.NDArray[np.float64]] | None:
    """Cost per hour and z[workloads, regions] of the best found; None: nothing was found."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    pool_index = {pool.name: index for index, pool in enumerate(fleet.pools)}
    region_of_pool = {name: index for index, region in enumerate(regions) for name in region.pools}
    workload_index = {workload.name: index for index, workload in enumerate(fleet.workloads)}
    demand = [w.rate_per_s * (1 + fleet.policies.headroom) for w in fleet.workloads]
    able = [c for c in candidates if c.capacity_per_s > 0]
    n_rates, n_pools, n_regions = len(able), len(fleet.pools), len(regions)
    n_pairs = len(fleet.workloads) * n_regions
    first_z, first_beyond = n_rates, n_rates + n_pairs
    n_columns = first_beyond + n_pools

    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    lower: list[float] = []
    upper: list[float] = []

    def row(low: float, high: float) -> int:
        lower.append(low)
        upper.append(high)
        return len(lower) - 1

    def put(at: int, column: int, value: float) -> None:
        rows.append(at)
        columns.append(column)
        values.append(value)

    served = [row(0.0, 0.0) for _ in range(n_pairs)]
    paired = [row(0.0, 0.0) for _ in range(n_pairs)]
    supply = [
        row(-np.inf, room[regions[region_of_pool[pool.name]].name] * pool.usable_gpus) for pool in fleet.pools
    ]
    beyond = [row(-np.inf, pool.reserved_gpus) for pool in fleet.pools]
    for column, c in enumerate(able):
        w, p = workload_index[c.workload], pool_index[c.pool]
        pair = w * n_regions + region_of_pool[c.pool]
        if c.role != "decode":
            put(served[pair], column, 1.0)
        if c.role != "mixed":
            put(paired[pair], column, 1.0 if c.role == "prefill" else -1.0)
        used = c.gpus * (1.0 / c.capacity_per_s + spare / max(demand[w], TINY))
        put(supply[p], column, used)
        put(beyond[p], column, used)
    for p in range(n_pools):
        put(beyond[p], first_beyond + p, -1.0)
    for w in range(len(fleet.workloads)):
        once = row(1.0, 1.0)
        for r in range(n_regions):
            put(served[w * n_regions + r], first_z + w * n_regions + r, -demand[w])
            put(once, first_z + w * n_regions + r, 1.0)

    cost = np.zeros(n_columns)
    cost[first_beyond:] = [pool.price_per_gpu_hour for pool in fleet.pools]
    highest = np.full(n_columns, np.inf)
    highest[first_z:first_beyond] = 1.0
    integral = np.zeros(n_columns, np.int64)
    integral[first_z:first_beyond] = whole
    lowest = np.zeros(n_columns)
    for name, where in keep.items():
        r = next(index for index, region in enumerate(regions) if region.name == where)
        lowest[first_z + workload_index[name] * n_regions + r] = 1.0
    matrix = coo_array((values, (rows, columns)), shape=(len(lower), n_columns)).tocsr()
    found = milp(
        cost, constraints=LinearConstraint(matrix, lower, upper), bounds=Bounds(lowest, highest),
        integrality=integral, options={"mip_rel_gap": GAP, "time_limit": time_limit_s or np.inf},
    )  # fmt: skip
    if found.x is None:
        return None
    kept = sum(pool.reserved_gpus * pool.reserved_price_per_gpu_hour for pool in fleet.pools)
    return float(found.fun) + kept, found.x[first_z:first_beyond].reshape(-1, n_regions)
