"""The ways that KV caches really take between placed instances, and what that makes of the candidates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from planner.candidates.candidate import Candidate
from planner.fleet.fleet import Fleet
from planner.fleet.network import Link
from planner.placement.tenant import Tenant
from planner.plan.instance import Stage
from planner.plan.network import KvTransfer
from planner.topology.flows import Placed, has_network, kv_flows, link_loads
from planner.topology.handover import between

__all__ = ["kv_transfers", "reach", "with_paths"]

Reach = Literal["node", "rack", "zone"]
NEAR = 1e-9
"""Relative rounding of sums of flows."""


def placed_flows(
    fleet: Fleet,
    tenants: Sequence[Tenant],
    candidates: Sequence[Candidate],
    stages: Mapping[str, tuple[Stage, ...]],
) -> list[Placed]:
    """Prefill and decode instances that have a place, with what they send or receive."""
    flows = kv_flows(fleet, tenants, candidates)
    found = []
    for tenant in tenants:
        if tenant.name not in stages or tenant.name not in flows:
            continue
        candidate = candidates[tenant.candidate]
        pool = fleet.pool(candidate.pool)
        node = pool.node_index(stages[tenant.name][0].node)
        found.append(
            Placed(
                name=tenant.name,
                workload=candidate.workload,
                pool=pool.name,
                rack=pool.rack_of(node),
                node=node,
                bytes_per_s=flows[tenant.name],
            )
        )
    return found


def reach(placed: Sequence[Placed]) -> dict[str, Reach]:
    """How far the caches of each prefill instance go, by name: nearest decode instances first."""
    made: dict[tuple[object, ...], float] = defaultdict(float)
    taken: dict[tuple[object, ...], float] = defaultdict(float)

    def places(each: Placed) -> tuple[tuple[Reach, tuple[object, ...]], ...]:
        return (
            ("node", (each.workload, each.pool, "node", each.node)),
            ("rack", (each.workload, each.pool, "rack", each.rack)),
        )

    for each in placed:
        for _, place in places(each):
            (made if each.bytes_per_s > 0 else taken)[place] += abs(each.bytes_per_s)
    far: dict[str, Reach] = {}
    for each in placed:
        if each.bytes_per_s > 0:
            near = (within for within, place in places(each) if made[place] <= taken[place] * (1 + NEAR))
            far[each.name] = next(near, "zone")
    return far


def with_paths(
    fleet: Fleet,
    tenants: Sequence[Tenant],
    candidates: Sequence[Candidate],
    stages: Mapping[str, tuple[Stage, ...]],
) -> tuple[Candidate, ...]:
    """Return the candidates, those of placed prefill instances with the slowest way that one of them uses."""
    if not has_network(fleet):
        return tuple(candidates)
    placed = placed_flows(fleet, tenants, candidates, stages)
    place = {each.name: each for each in placed}
    by_name = {tenant.name: tenant for tenant in tenants}
    ways: dict[int, Link] = {}
    for name, within in reach(placed).items():
        mine, index = place[name], by_name[name].candidate
        for other in placed:
            if not _receives(fleet, mine, other, within):
                continue
            receiver = candidates[by_name[other.name].candidate]
            way = between(
                fleet.pool(mine.pool), candidates[index].gpus, fleet.pool(other.pool), receiver.gpus, within
            )
            known = ways.get(index, way)
            ways[index] = Link(
                bandwidth_bytes_per_s=min(known.bandwidth_bytes_per_s, way.bandwidth_bytes_per_s),
                latency_ms=max(known.latency_ms, way.latency_ms),
            )
    return tuple(
        replace(candidate, handover=ways[index]) if index in ways else candidate
        for index, candidate in enumerate(candidates)
    )


def _receives(fleet: Fleet, sender: Placed, other: Placed, within: Reach) -> bool:
    """Whether an instance may take caches of `sender` that go no farther than `within`."""
    if other.workload != sender.workload or other.bytes_per_s >= 0:
        return False
    if within == "zone":
        return fleet.pool(other.pool).zone == fleet.pool(sender.pool).zone
    same = other.pool == sender.pool and other.rack == sender.rack
    return same and (within == "rack" or other.node == sender.node)


def kv_transfers(
    fleet: Fleet,
    tenants: Sequence[Tenant],
    candidates: Sequence[Candidate],
    stages: Mapping[str, tuple[Stage, ...]],
) -> tuple[KvTransfer, ...]:
    """What each workload that is served apart moves in each zone, and the fullest link on the way."""
    placed = placed_flows(fleet, tenants, candidates, stages)
    groups: dict[tuple[str, str], list[Placed]] = defaultdict(list)
    for each in placed:
        groups[each.workload, fleet.pool(each.pool).zone].append(each)
    far = reach(placed)
    loads = link_loads(fleet.pools, placed)
    found = []
    for (workload, zone), mine in groups.items():
        senders = [each for each in mine if each.bytes_per_s > 0]
        touched = {f"node {e.node} of {e.pool}" for e in mine} | {f"rack {e.rack} of {e.pool}" for e in mine}
        fullest = max(
            (load for load in loads if load.link in touched), key=lambda load: load.share, default=None
        )
        found.append(
            KvTransfer(
                workload=workload,
                zone=zone,
                bytes_per_s=sum(each.bytes_per_s for each in senders),
                within_nodes=_inside(mine, lambda e: (e.pool, e.node)),
                within_racks=_inside(mine, lambda e: (e.pool, e.rack)),
                farthest=_farthest(far[each.name] for each in senders),
                fullest_link=None if fullest is None else fullest.link,
                fullest_share=None if fullest is None else fullest.share,
            )
        )
    return tuple(found)


def _farthest(ways: Iterable[Reach]) -> Reach:
    order: tuple[Reach, ...] = ("node", "rack", "zone")
    return max(ways, key=order.index, default="node")


def _inside(placed: Sequence[Placed], key: Callable[[Placed], tuple[str, int]]) -> float:
    """Share of what is sent that is received in the same place."""
    made: dict[object, float] = defaultdict(float)
    taken: dict[object, float] = defaultdict(float)
    for each in placed:
        (made if each.bytes_per_s > 0 else taken)[key(each)] += abs(each.bytes_per_s)
    total = sum(made.values())
    return sum(min(made[place], taken[place]) for place in made) / total if total > 0 else 1.0
