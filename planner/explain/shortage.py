"""Fleets whose workloads can be served, but not all at once with the GPUs there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from planner.candidates.candidate import Candidate
from planner.clock import Clock
from planner.fleet.fleet import Fleet
from planner.loads import served_rate
from planner.plan.outcome import Diagnosis
from planner.report.numbers import rate
from planner.rounds import Rounds, size_and_place
from planner.sizing.problem import SizingProblem
from planner.sizing.solve import LARGE, Sizing, solve_sizing

__all__ = ["explain_shortage", "fewest_more_nodes"]

MOST_NODES = 100_000
TRIES = 6


def explain_shortage(
    fleet: Fleet, candidates: Sequence[Candidate], rounds: Rounds, clock: Clock
) -> Diagnosis:
    """Return which supply binds and the fewest nodes, by price, that would do."""
    without_loss = replace(fleet, policies=replace(fleet.policies, loss_of=None))
    loss_of = fleet.policies.loss_of
    only_loss = False
    if loss_of is not None:
        relaxed = solve_sizing(
            SizingProblem(fleet=without_loss, candidates=tuple(candidates)),
            clock.solve_options("diagnosis"),
            all_or_nothing=True,
        )
        only_loss = relaxed.covers_demand
    demand = [f"{w.name} {rate(rounds.problem.demand_per_s(w.name))}" for w in fleet.workloads]
    supply = ", ".join(
        f"{pool.gpus} GPU{'s' if pool.gpus > 1 else ''} in {pool.name}" for pool in fleet.pools
    )
    if only_loss:
        message = (
            f"supply is too small to survive the loss of a {loss_of}: {supply} carry the demand "
            f"({', '.join(demand)}, headroom included) only while all {loss_of}s run"
        )
    else:
        message = (
            f"supply is too small: {supply} for a demand of {', '.join(demand)} (headroom included); "
            f"{_what_fits(candidates, rounds.sizing, fleet)}"
        )
    return Diagnosis(
        limit="survive" if only_loss else "supply",
        subject=", ".join(pool.name for pool in fleet.pools),
        message=message,
        closest=_more_nodes(fleet, candidates, clock, allow_no_loss_rule=only_loss),
    )


def _what_fits(candidates: Sequence[Candidate], sizing: Sizing, fleet: Fleet) -> str:
    """Say how much of each workload the best use of the supply serves."""
    parts = []
    for workload in fleet.workloads:
        mine = [
            candidates[index]
            for index, count in sizing.counts.items()
            if candidates[index].workload == workload.name
            for _ in range(count)
        ]
        demand = workload.rate_per_s * (1 + fleet.policies.headroom)
        parts.append(f"{workload.name} {rate(min(served_rate(mine), demand))}")
    loss_of = fleet.policies.loss_of
    spare = f", the loss of a {loss_of} not counted" if loss_of is not None else ""
    return f"at best they serve {', '.join(parts)}{spare}"


def _more_nodes(
    fleet: Fleet, candidates: Sequence[Candidate], clock: Clock, *, allow_no_loss_rule: bool
) -> str:
    """Return how many more nodes would do: found by sizing with more, then tried."""
    grown = fewest_more_nodes(fleet, candidates, clock)
    options = []
    if grown is not None:
        added = [
            f"{new.nodes - old.nodes} more node{'s' if new.nodes - old.nodes > 1 else ''} in {old.name}"
            for old, new in zip(fleet.pools, grown.pools, strict=True)
            if new.nodes > old.nodes
        ]
        options.append(f"{' and '.join(added)} would do")
    if allow_no_loss_rule:
        options.append("so would doing without policies.survive")
    if not options and clock.is_over:
        return (
            "the time was up before it was found how many more nodes would do: a longer --time-limit may tell"
        )
    return "; ".join(options) or f"no number of nodes up to {MOST_NODES:,} a pool was found to do"


def fewest_more_nodes(fleet: Fleet, candidates: Sequence[Candidate], clock: Clock) -> Fleet | None:
    """Return the fleet with the cheapest additional nodes that a plan was found for."""
    owned = {pool.name: pool.gpus for pool in fleet.pools}
    factor = 4
    while True:
        # Room to grow in every pool; the goal is the price of what is used beyond what there is.
        large = _with_nodes(
            fleet, {pool.name: min(MOST_NODES, factor * pool.nodes + 64) for pool in fleet.pools}
        )
        problem = SizingProblem(fleet=large, candidates=tuple(candidates), owned_gpus=owned)
        if len(candidates) >= LARGE:
            problem = replace(problem, fleet=_owning(large, owned), owned_gpus=None)
        sizing = solve_sizing(problem, clock.solve_options("diagnosis"))
        used = _gpus_used(candidates, sizing)
        roomy = all(used.get(pool.name, 0) < 0.9 * pool.gpus for pool in large.pools)
        if sizing.covers_demand and sizing.counts and (roomy or factor > 256):
            break
        factor *= 16
        if factor > 2000 or clock.is_cancelled or not sizing.tiers:
            return None
    nodes = {
        pool.name: max(pool.nodes, -(-used.get(pool.name, 0) // pool.gpus_per_node)) for pool in fleet.pools
    }
    if all(nodes[pool.name] == pool.nodes for pool in fleet.pools):
        # The GPUs would do if they were spread over more nodes.
        nodes = {pool.name: pool.nodes + int(pool.name in used) for pool in fleet.pools}
    for _ in range(TRIES):
        grown = _with_nodes(fleet, nodes)
        rounds = size_and_place(grown, candidates, (), clock)
        if rounds.placement is not None and not rounds.placement.misplaced:
            return grown
        # A loss takes a smaller share of a larger pool: the estimate above was made with many nodes.
        more = {name: count + 1 for name, count in nodes.items() if count > fleet.pool(name).nodes}
        nodes |= more
    return None


def _owning(fleet: Fleet, owned: Mapping[str, int]) -> Fleet:
    """The fleet with the GPUs there are as reserved ones that cost nothing.

    Growth is then its cost, the goal for which workloads are sized apart.
    """
    pools = (
        replace(
            pool,
            reserved_gpus=owned[pool.name],
            reserved_price_per_gpu_hour=0.0,
            price_per_gpu_hour=max(pool.price_per_gpu_hour, 1e-3),
        )
        for pool in fleet.pools
    )
    return replace(fleet, pools=tuple(pools), goals=("unserved_demand", "cost"))


def _gpus_used(candidates: Sequence[Candidate], sizing: Sizing) -> dict[str, int]:
    used: dict[str, int] = {}
    for index, count in sizing.counts.items():
        used[candidates[index].pool] = used.get(candidates[index].pool, 0) + count * candidates[index].gpus
    return used


def _with_nodes(fleet: Fleet, nodes: dict[str, int]) -> Fleet:
    return replace(fleet, pools=tuple(replace(pool, nodes=nodes[pool.name]) for pool in fleet.pools))
