"""Placing all instances of a sizing: pool by pool, since every candidate belongs to one pool."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from models.graph import evaluate
from planner.candidates.candidate import Candidate
from planner.clock import PROVEN_GAP
from planner.fleet.fleet import Fleet, Pool
from planner.placement.gpus import Claim, assign_gpus
from planner.placement.pack import pack
from planner.placement.problem import parts_of, placement_problem, running_nodes, starts_of
from planner.placement.tenant import Tenant
from planner.plan.instance import Stage
from planner.topology.flows import has_network, kv_flows
from solvers import Result, SolveOptions, solve
from solvers.judge import judged
from specs import Problem, compile_problem

__all__ = ["Misplaced", "Placement", "place"]

LARGE = 20_000
"""Parts times nodes of a pool above which a packing that keeps all limits is taken as it is."""
Options = Callable[[], SolveOptions]
"""Gives the options of the next solve: each may use the time that is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misplaced:
    """A pool whose instances do not fit its nodes as sizing assumed.

    Parameters
    ----------
    pool
        Its name.
    crowded
        Most parts on one node (or rack) of each candidate (by index) in a placement that does exist, when
        only the spread was in the way; empty when there is none at all.
    left_over_gpus
        GPUs of the parts that found no place when as many as possible were placed, the spread not counted;
        0 when only the spread or the links were in the way.
    heaviest
        Where the links were in the way: the workload of the pool that moves most KV cache.
    """

    pool: str
    crowded: Mapping[int, int]
    left_over_gpus: int
    heaviest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where instances run.

    Parameters
    ----------
    stages
        By instance name.
    results
        Solver results by pool name.
    misplaced
        Pools without a placement; empty when all is placed.
    """

    stages: Mapping[str, tuple[Stage, ...]]
    results: Mapping[str, Result]
    misplaced: tuple[Misplaced, ...]


def place(
    fleet: Fleet,
    tenants: Sequence[Tenant],
    candidates: Sequence[Candidate],
    *,
    spread_limits: Mapping[int, int],
    options: Options,
) -> Placement:
    """Place `tenants` on the nodes of their pools.

    Parameters
    ----------
    spread_limits
        Most parts of a candidate (by index) that one node or rack may hold; used with a loss policy only.
    """
    stages: dict[str, tuple[Stage, ...]] = {}
    results: dict[str, Result] = {}
    misplaced: list[Misplaced] = []
    flows = kv_flows(fleet, tenants, candidates) if has_network(fleet) else None
    for pool in fleet.pools:
        mine = [tenant for tenant in tenants if candidates[tenant.candidate].pool == pool.name]
        if not mine:
            continue
        solved = _solve(fleet, pool, mine, candidates, spread_limits, options, flows)
        results[pool.name] = solved
        if solved.assignment is not None:
            stages |= _stages(pool, mine, candidates, solved.assignment.tolist())
        else:
            misplaced.append(_why(fleet, pool, mine, candidates, options, flows))
    return Placement(stages=stages, results=results, misplaced=tuple(misplaced))


def _solve(
    fleet: Fleet, pool: Pool, tenants: Sequence[Tenant], candidates: Sequence[Candidate],
    spread_limits: Mapping[int, int], options: Options, flows: Mapping[str, float] | None,
) -> Result:  # fmt: skip
    """Solve one pool: first with everything that runs held in place, then with moves."""
    loss_of = fleet.policies.loss_of
    parts, start = parts_of(tenants, candidates), starts_of(pool, tenants, candidates)
    packed = pack(pool, parts, start, loss_of=loss_of, spread_limits=spread_limits)
    large = len(parts) * pool.nodes > LARGE
    stays = packed is not None and bool((packed == start)[start >= 0].all())
    result = None
    for may_move in (False, True) if (start >= 0).any() else (False,):
        if large and not may_move and (start >= 0).any() and not stays:
            continue
        problem = placement_problem(
            fleet, pool, tenants, candidates,
            loss_of=loss_of, spread_limits=spread_limits, may_move=may_move, kv_flows=flows,
        )  # fmt: skip
        graph = compile_problem(problem)
        if large and packed is not None and evaluate(graph, packed).feasible:
            # Every goal counts something undesired, so that none is below 0.
            result = judged(graph, packed, solver="packing", gap=PROVEN_GAP, bounds=[0.0] * len(graph.tiers))
        else:
            result = solve(graph, replace(options(), start=packed))
        result = _named(result, problem)
        if result.assignment is not None:
            break
    assert result is not None
    return result


def _why(
    fleet: Fleet, pool: Pool, tenants: Sequence[Tenant], candidates: Sequence[Candidate], options: Options,
    flows: Mapping[str, float] | None,
) -> Misplaced:  # fmt: skip
    """Return what was in the way: the spread, the links, or room; all may move, the first two not counted."""
    problem = placement_problem(
        fleet, pool, tenants, candidates,
        loss_of=None, spread_limits={}, may_move=True, may_be_unassigned=True,
    )  # fmt: skip
    result = solve(compile_problem(problem), options())
    if result.assignment is None:
        return Misplaced(pool=pool.name, crowded={}, left_over_gpus=0)
    parts = parts_of(tenants, candidates)
    nodes = result.assignment.tolist()
    left_over = sum(part.gpus for part, node in zip(parts, nodes, strict=True) if node < 0)
    if not left_over and (heaviest := _heaviest(fleet, pool, tenants, candidates, options, flows)):
        return Misplaced(pool=pool.name, crowded={}, left_over_gpus=0, heaviest=heaviest)
    crowded = {} if left_over else _crowding(fleet, pool, tenants, candidates, nodes)
    return Misplaced(pool=pool.name, crowded=crowded, left_over_gpus=left_over)


def _heaviest(
    fleet: Fleet, pool: Pool, tenants: Sequence[Tenant], candidates: Sequence[Candidate], options: Options,
    flows: Mapping[str, float] | None,
) -> str:  # fmt: skip
    """The workload that moves most KV cache, on a pool whose links cannot carry all of it; else ""."""
    moved: dict[str, float] = defaultdict(float)
    for tenant in tenants:
        moved[candidates[tenant.candidate].workload] += abs((flows or {}).get(tenant.name, 0.0))
    if pool.network is None or not any(moved.values()):
        return ""
    problem = placement_problem(
        fleet, pool, tenants, candidates, loss_of=None, spread_limits={}, may_move=True, kv_flows=flows
    )
    if solve(compile_problem(problem), options()).assignment is not None:
        return ""
    return max(moved, key=lambda name: (moved[name], name))


def _named(result: Result, problem: Problem) -> Result:
    """Return the result with its tiers called after the goals in them."""
    names = [" and ".join(str(goal.name) for goal in tier) for tier in problem.tiers]
    tiers = tuple(replace(tier, name=name) for tier, name in zip(result.tiers, names, strict=False))
    return replace(result, tiers=tiers)


def _crowding(
    fleet: Fleet, pool: Pool, tenants: Sequence[Tenant], candidates: Sequence[Candidate], nodes: Sequence[int]
) -> dict[int, int]:  # fmt: skip
    """Most parts of each candidate on one node or rack."""
    by_rack = fleet.policies.loss_of == "rack"
    column = [tenant.candidate for tenant in tenants for _ in range(candidates[tenant.candidate].groups)]
    load = Counter(
        (index, pool.rack_of(node) if by_rack else node) for index, node in zip(column, nodes, strict=True)
    )
    most: dict[int, int] = {}
    for (index, _), count in load.items():
        most[index] = max(count, most.get(index, 0))
    return most


def _stages(
    pool: Pool, tenants: Sequence[Tenant], candidates: Sequence[Candidate], nodes: Sequence[int]
) -> dict[str, tuple[Stage, ...]]:  # fmt: skip
    """Turn the node of each part into pipeline stages with GPU indices."""
    claims: dict[int, list[Claim]] = defaultdict(list)
    position = iter(nodes)
    placed: dict[str, list[int]] = {}
    for tenant in tenants:
        candidate = candidates[tenant.candidate]
        before = running_nodes(pool, candidate, tenant)
        placed[tenant.name] = [next(position) for _ in range(candidate.groups)]
        for part, node in enumerate(placed[tenant.name]):
            held: tuple[int, ...] = ()
            if tenant.running is not None and before[part] == node:
                name = pool.node_name(node)
                held = tuple(
                    gpu for stage in tenant.running.stages if stage.node == name for gpu in stage.gpus
                )
            claims[node].append(Claim(name=f"{tenant.name}/{part}", size=candidate.gpus_per_group, held=held))
    given = {node: assign_gpus(wanted, pool.gpus_per_node) for node, wanted in claims.items()}
    result = {}
    for tenant in tenants:
        size = candidates[tenant.candidate].stage_gpus
        stages = []
        for part, node in enumerate(placed[tenant.name]):
            gpus = given[node][f"{tenant.name}/{part}"]
            for start in range(0, len(gpus), size):
                stages.append(Stage(pool.node_name(node), gpus[start : start + size]))
        result[tenant.name] = tuple(stages)
    return result
