"""Large problems: every workload sized by itself, at prices that make them share the pools.

With a price π[p] for each GPU of pool p, the workloads no longer meet, and

    Σ_w min (π · gpus[w])  +  Σ_p min_u (cost_p(u) − π[p] · u)

with u from 0 to the supply of p is a lower bound of the cost (Lagrangian relaxation). The prices are those of
the linear relaxation: the pool's own, and what a GPU is worth where there are too few. Where the answers fit
the pools together they are the optimum up to the gap of each; where not, they are completed within the
supply.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from models.graph import evaluate
from planner.fleet.fleet import Pool, ServedWorkload
from planner.sizing.columns import Floats, assignment_of, counts_of
from planner.sizing.graph import sizing_graph, tier_names
from planner.sizing.problem import SizingProblem
from planner.sizing.rounding import Counts, relax, round_up
from solvers import SolveOptions, solve

__all__ = ["Apart", "Memo", "solve_apart"]

GAP = 2e-3
"""Relative gap of each workload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """A solution and a bound of the cost.

    Parameters
    ----------
    counts
        int64[candidate] that serve all demand; None when none were found.
    bound
        No counts that serve all demand cost less.
    """

    counts: Counts | None
    bound: float


Memo = dict[tuple[object, ...], tuple[tuple[int, ...], float]]
"""Counts and bound by workload, its demand, and the prices."""


def solve_apart(problem: SizingProblem, options: SolveOptions, memo: Memo | None = None) -> Apart | None:
    """Minimise the cost with all demand served; None where that is impossible, or there was no time.

    Parameters
    ----------
    memo
        Answers known from other periods; added to.
    """
    served = {name: 0.0 for name in tier_names(problem) if name.startswith("unserved")}
    graph = sizing_graph(problem, minimise="cost", held=served)
    relaxed = relax(graph, options.time_limit_s)
    if relaxed is None:
        return None
    prices = _prices(problem, relaxed.counts, relaxed.scarcity)
    memo = {} if memo is None else memo
    together = np.zeros(len(problem.candidates), np.int64)
    bound = sum(
        _idle(pool, problem.withheld_gpus.get(pool.name, 0), prices[pool.name])
        for pool in problem.fleet.pools
    )
    columns = {
        w.name: [i for i, c in enumerate(problem.candidates) if c.workload == w.name]
        for w in problem.fleet.workloads
    }

    begun, limit = time.monotonic(), options.time_limit_s

    def alone(workload: ServedWorkload) -> tuple[tuple[int, ...], float] | None:
        left_s = None if limit is None else limit - (time.monotonic() - begun)
        single = replace(options, threads=1, time_limit_s=None if left_s is None else max(left_s, 0.05))
        if left_s is not None and left_s <= 0:
            return None
        return _alone(problem, workload, columns[workload.name], prices, single, memo)

    # The solver works outside of Python's lock; which workload is done first changes nothing.
    with ThreadPoolExecutor(options.threads) as pool:
        answers = list(pool.map(alone, problem.fleet.workloads))
    for workload, found in zip(problem.fleet.workloads, answers, strict=True):
        if found is None:
            # No time for all: the relaxation has a bound and, rounded, an answer, both less good.
            return Apart(counts=_feasible(problem, relaxed.counts), bound=relaxed.bound)
        together[columns[workload.name]] = found[0]
        bound += found[1]
    tried = (_feasible(problem, start) for start in (together.astype(np.float64), relaxed.counts))
    counts = min(
        (found for found in tried if found is not None), key=lambda row: _cost(problem, row), default=None
    )
    return Apart(counts=counts, bound=max(bound, relaxed.bound))


def _alone(
    problem: SizingProblem,
    workload: ServedWorkload,
    columns: list[int],
    prices: Mapping[str, float],
    options: SolveOptions,
    memo: Memo,
) -> tuple[tuple[int, ...], float] | None:
    """Counts and bound of one workload at prices a GPU."""
    if problem.demand_per_s(workload.name) <= 0:
        return (0,) * len(columns), 0.0
    used = {problem.candidates[i].pool for i in columns}
    charged = tuple((name, round(price, 6)) for name, price in prices.items() if name in used)
    key = (workload.name, workload.rate_per_s, charged)
    if key not in memo:
        pools = tuple(
            replace(pool, price_per_gpu_hour=prices[pool.name], reserved_gpus=0)
            for pool in problem.fleet.pools
            if pool.name in used
        )
        fleet = replace(problem.fleet, pools=pools, workloads=(workload,), goals=("unserved_demand", "cost"))
        mine = replace(
            problem,
            fleet=fleet,
            candidates=tuple(problem.candidates[i] for i in columns),
            unevenness={n: problem.unevenness[i] for n, i in enumerate(columns) if i in problem.unevenness},
            current={},
        )
        graph = sizing_graph(
            mine, minimise="cost", held={f"unserved_demand, priority {workload.priority}": 0.0}
        )
        result = solve(graph, replace(options, gap=GAP, start=None, on_progress=None))
        if result.assignment is None or result.tiers[0].bound is None:
            return None
        memo[key] = tuple(counts_of(result.assignment, len(columns))), result.tiers[0].bound
    return memo[key]


def _prices(problem: SizingProblem, counts: Floats, scarcity: Mapping[str, float]) -> dict[str, float]:
    """Price of a GPU of each pool: what one more costs, and what it is worth to have it."""
    used = {pool.name: 0.0 for pool in problem.fleet.pools}
    for candidate, count in zip(problem.candidates, counts.tolist(), strict=True):
        used[candidate.pool] += candidate.gpus * count
    return {
        pool.name: scarcity.get(pool.name, 0.0)
        + (0.0 if used[pool.name] < pool.reserved_gpus - 1e-6 else pool.price_per_gpu_hour)
        for pool in problem.fleet.pools
    }


def _idle(pool: Pool, withheld: int, price: float) -> float:
    """``min_u (cost(u) − price · u)`` over the GPUs u that may be in use: at an end, or where price bends."""
    most = pool.usable_gpus - withheld
    return min(pool.cost_per_hour(u) - price * u for u in (0, min(pool.reserved_gpus, most), most))


def _feasible(problem: SizingProblem, counts: Floats) -> Counts | None:
    """Completed to whole counts that keep every limit, if that works."""
    whole = round_up(problem, counts)
    if whole is None:
        return None
    graph = sizing_graph(problem)
    assignment = assignment_of(whole.tolist(), graph.space.n_objects)
    return whole if assignment is not None and evaluate(graph, assignment).feasible else None


def _cost(problem: SizingProblem, counts: Counts) -> float:
    used = {pool.name: 0 for pool in problem.fleet.pools}
    for candidate, count in zip(problem.candidates, counts.tolist(), strict=True):
        used[candidate.pool] += candidate.gpus * count
    return sum(pool.cost_per_hour(used[pool.name]) for pool in problem.fleet.pools)
