"""Sizing and placement in turns, until what sizing assumed can be placed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.candidates.candidate import Candidate
from planner.clock import PROVEN_GAP, Clock
from planner.fleet.fleet import Fleet
from planner.incumbent import Layout, is_better, layout_values, standing_layout
from planner.placement.place import Misplaced, Placement, place
from planner.placement.tenant import Tenant, make_tenants
from planner.plan.instance import Instance
from planner.sizing.apart import Memo
from planner.sizing.graph import UNSERVED
from planner.sizing.problem import SizingProblem
from planner.sizing.rounding import Service
from planner.sizing.solve import COVERED_SHARE, Sizing, solve_sizing
from planner.topology.cuts import spare_links
from solvers.result import TierResult, relative_gap

__all__ = ["Rounds", "size_and_place"]

MOST_ROUNDS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """What the turns ended with.

    Parameters
    ----------
    sizing
        The last one.
    bounds
        Tiers of the first sizing: its bounds hold for every plan, since it assumed the most even spread.
    tenants, placement
        The last ones; None when sizing did not get that far.
    count
        Number of turns.
    sizing_s
        What the last sizing took.
    """

    problem: SizingProblem
    sizing: Sizing
    bounds: tuple[TierResult, ...]
    tenants: tuple[Tenant, ...]
    placement: Placement | None
    count: int
    sizing_s: float


def size_and_place(
    fleet: Fleet, candidates: Sequence[Candidate], current: Sequence[Instance], clock: Clock
) -> Rounds:
    """Size, place, and where placement fails size again with what was learnt.

    Placement fails when instances cannot be spread as evenly as sizing assumed (that candidate is then
    taken to be less even), when the links of a pool cannot carry the KV caches between prefill and decode
    instances (the workload that moves most is then spread over more of them, or not served apart), or when
    groups do not pack into nodes (that pool is then taken to be smaller).
    Never worse than what runs today: where it would be, what runs today is the answer.
    """
    gone = _gone(fleet, current)
    running = Counter(instance.shape for instance in current if instance.name not in gone)
    problem = SizingProblem(fleet=fleet, candidates=tuple(candidates), current=running)
    rounds = _size_and_place(problem, current, gone, clock)
    return _no_worse(problem, rounds, current)


def _gone(fleet: Fleet, current: Sequence[Instance]) -> frozenset[str]:
    """Names of instances that have lost a node."""
    in_service = {
        pool.node_name(node)
        for pool in fleet.pools
        for node in range(pool.nodes)
        if node not in pool.unavailable
    }
    return frozenset(i.name for i in current if any(stage.node not in in_service for stage in i.stages))


def _size_and_place(
    problem: SizingProblem, current: Sequence[Instance], gone: frozenset[str], clock: Clock
) -> Rounds:
    fleet = problem.fleet
    bounds: tuple[TierResult, ...] = ()
    for count in range(1, MOST_ROUNDS + 1):
        clock.report("sizing")
        memo = None if fleet.periods is None else Memo()
        begun = clock.elapsed_s
        sizing = solve_sizing(problem, clock.solve_options("sizing"), memo=memo)
        sizing_s = clock.elapsed_s - begun
        bounds = bounds or sizing.tiers
        short = not sizing.covers_demand and fleet.policies.shortage == "refuse"
        if not sizing.tiers or short or clock.is_cancelled:
            return Rounds(
                problem=problem, sizing=sizing, bounds=bounds, tenants=(), placement=None, count=count,
                sizing_s=sizing_s,
            )  # fmt: skip
        clock.report("placement")
        candidates = problem.candidates
        tenants = make_tenants(candidates, sizing.counts, current, gone=gone)
        placement = place(
            fleet,
            tenants,
            candidates,
            spread_limits={i: problem.spread_limit(i, n) or n for i, n in sizing.counts.items()},
            options=lambda: clock.solve_options("placement"),
        )
        done = Rounds(
            problem=problem, sizing=sizing, bounds=bounds, tenants=tenants, placement=placement, count=count,
            sizing_s=sizing_s,
        )  # fmt: skip
        if not placement.misplaced or clock.is_cancelled or clock.is_over:
            return done
        for misplaced in placement.misplaced:
            problem = _learn(problem, misplaced, sizing.counts)
    return done


def _no_worse(problem: SizingProblem, rounds: Rounds, current: Sequence[Instance]) -> Rounds:
    """Return `rounds`, or the running instances as they are where those are better under the same goals."""
    refuse = problem.fleet.policies.shortage == "refuse"
    if not any(problem.running) or (refuse and not _may_do(problem)):
        return rounds
    standing = standing_layout(problem.fleet, problem.candidates, current)
    if standing is None:
        return rounds
    values = layout_values(problem, standing, current)
    unserved = sum(value for name, value in values.items() if name.startswith(UNSERVED))
    if unserved > COVERED_SHARE and refuse:
        return rounds
    placement = rounds.placement
    if placement is not None and not placement.misplaced:
        planned = Layout(tenants=rounds.tenants, stages=placement.stages)
        if not is_better(values, layout_values(problem, planned, current)):
            return rounds
    known = {tier.name: tier.bound for tier in rounds.bounds}
    tiers = tuple(
        TierResult(name, value, known.get(name), relative_gap(value, known.get(name)))
        for name, value in values.items()
    )
    proven = all(tier.gap is not None and tier.gap <= PROVEN_GAP for tier in tiers)
    return Rounds(
        problem=problem,
        sizing=Sizing(
            status="optimal" if proven else "feasible",
            counts=dict(Counter(tenant.candidate for tenant in standing.tenants)),
            tiers=tiers,
        ),
        bounds=tiers,
        tenants=standing.tenants,
        placement=Placement(stages=standing.stages, results={}, misplaced=()),
        count=1,
        sizing_s=rounds.sizing_s,
    )


def _may_do(problem: SizingProblem) -> bool:
    """Whether the running instances would serve all if they were spread evenly: at best, they are."""
    service, running = Service(problem), np.array(problem.running, np.int64)
    return all(
        service.served(w.name, running) >= problem.demand_per_s(w.name) * (1 - COVERED_SHARE)
        for w in problem.fleet.workloads
    )


def _learn(problem: SizingProblem, misplaced: Misplaced, counts: Mapping[int, int]) -> SizingProblem:
    """Return the problem with the assumption corrected that did not hold."""
    if misplaced.heaviest:
        return spare_links(problem, misplaced.heaviest, misplaced.pool)
    uneven = dict(problem.unevenness)
    for index, most in misplaced.crowded.items():
        limit = problem.spread_limit(index, counts[index])
        if limit is not None and most > limit:
            uneven[index] = uneven.get(index, 1) + 1
    if uneven != problem.unevenness:
        return replace(problem, unevenness=uneven)
    # What was left over may be smaller than what sizing chooses next: the amount is a guess from below.
    smallest = min(c.gpus_per_group for c in problem.candidates if c.pool == misplaced.pool)
    used = sum(
        problem.candidates[index].gpus * count
        for index, count in counts.items()
        if problem.candidates[index].pool == misplaced.pool
    )
    pool = problem.fleet.pool(misplaced.pool)
    withheld = dict(problem.withheld_gpus)
    withheld[pool.name] = max(
        withheld.get(pool.name, 0) + smallest, pool.usable_gpus - used + misplaced.left_over_gpus
    )
    return replace(problem, withheld_gpus=withheld)
