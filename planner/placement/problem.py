"""One pool's placement as an assignment problem of the spec language; its names are those of `vocabulary`.

Hard: GPUs of a node (Capacity); one part of an instance a node (GroupCount); the spread that sizing counted
on when it made the fleet survive a loss (GroupCount); the power of a rack (Capacity); the limits of the fleet
document. Goals: running parts stay (AvoidMoving, or MinimizeMovement where not all can), parts of a service
spread over racks and nodes (GroupCount), racks are used evenly (Balance); where asked for, few free
GPUs are stranded (Fragmentation).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from models.graph.space import Ints
from planner.candidates.candidate import Candidate
from planner.fleet.fleet import Fleet, Pool
from planner.placement.tenant import Tenant
from planner.placement.vocabulary import Part, problem_of
from planner.topology.flows import USABLE
from specs import (
    HARD,
    AvoidMoving,
    Balance,
    Capacity,
    Constraint,
    Fragmentation,
    Goal,
    GroupCount,
    MaximizeAllocation,
    MinimizeMovement,
    NetFlow,
    Problem,
)

__all__ = ["parts_of", "placement_problem", "running_nodes", "starts_of"]


def parts_of(
    tenants: Sequence[Tenant],
    candidates: Sequence[Candidate],
    kv_flows: Mapping[str, float] | None = None,
) -> list[Part]:
    """Return the parts of each instance, in the order of the instances.

    `kv_flows`, as in `placement_problem`, is that of whole instances: those that have any are on one node.
    """
    flows = kv_flows or {}
    return [
        Part(
            name=f"{tenant.name}/{number}",
            instance=tenant.name,
            workload=candidate.workload,
            role=candidate.role,
            gpus=candidate.gpus_per_group,
            column=tenant.candidate,
            kv_bytes_per_s=flows.get(tenant.name, 0.0),
        )
        for tenant in tenants
        for candidate in [candidates[tenant.candidate]]
        for number in range(candidate.groups)
    ]


def starts_of(pool: Pool, tenants: Sequence[Tenant], candidates: Sequence[Candidate]) -> Ints:
    """int32[part]: node index of each part today; -1 where it starts or its node is gone."""
    return np.array(
        [node for t in tenants for node in running_nodes(pool, candidates[t.candidate], t)], np.int32
    )


def placement_problem(
    fleet: Fleet,
    pool: Pool,
    tenants: Sequence[Tenant],
    candidates: Sequence[Candidate],
    *,
    loss_of: str | None,
    spread_limits: Mapping[int, int],
    may_move: bool,
    may_be_unassigned: bool = False,
    kv_flows: Mapping[str, float] | None = None,
) -> Problem:
    """Return the placement problem of one pool.

    Parameters
    ----------
    tenants
        Instances on this pool, at least one.
    loss_of, spread_limits
        Most parts of a candidate (by index) that one node, or rack, may hold, as `loss_of` says; None: any.
    may_move
        Whether running parts may move, as little as possible, or stay where they are.
    may_be_unassigned
        Whether parts may stay without a node; as few GPUs as possible then do, before any other goal.
    kv_flows
        Bytes per second of KV caches that each instance sends (above 0) or receives, by name: the links of
        the pool carry them. None: the links are not looked at.
    """
    parts = parts_of(tenants, candidates, kv_flows)
    start = starts_of(pool, tenants, candidates)
    constraints = [Constraint(Capacity(scope="node", dimension="gpus"), HARD, "GPUs of a node")]
    if any(candidates[tenant.candidate].groups > 1 for tenant in tenants):
        apart = GroupCount(scope="node", partition="instance", limit=1)
        constraints.append(Constraint(apart, HARD, "parts apart"))
    if loss_of in ("node", "rack"):
        limits = {str(part.column): float(spread_limits[part.column]) for part in parts}
        limit = GroupCount(scope=loss_of, partition="column", group_limits=limits)
        constraints.append(Constraint(limit, HARD, f"survive the loss of a {loss_of}"))
    if pool.rack_limit_watts is not None:
        power = Capacity(scope="rack", dimension="power_watts", limit=pool.rack_limit_watts)
        constraints.append(Constraint(power, HARD, "power of a rack"))
    if kv_flows is not None:
        constraints += _links(pool, parts)
    constraints += [
        Constraint(limit.spec, HARD, limit.name)
        for limit in fleet.policies.placement_limits
        if pool.name in limit.pools
    ]
    goals: list[Sequence[Goal]] = []
    if may_be_unassigned:
        goals.append([Goal(MaximizeAllocation(scope="pool", dimension="gpus"), name="GPUs not placed")])
    if (start >= 0).any():
        if may_move:
            goals.append([Goal(MinimizeMovement(dimension="gpus"), name="GPUs that move")])
        else:
            constraints.append(Constraint(AvoidMoving(), HARD, "running parts stay"))
    if bundles := tuple(float(size) for size in fleet.policies.keep_free if size <= pool.gpus_per_node):
        fragments = Fragmentation(scope="node", dimension="gpus", bundles=bundles)
        goals.append([Goal(fragments, name="free GPUs stranded")])
    goals += _spread(pool, Counter(f"{part.workload} {part.role}" for part in parts))
    return problem_of(
        pool,
        fleet.workloads,
        parts,
        start=start,
        constraints=constraints,
        goals=goals,
        may_be_unassigned=may_be_unassigned,
    )


def _links(pool: Pool, parts: Sequence[Part]) -> list[Constraint]:
    """The bandwidths of nodes and racks, each direction, where any part sends or receives."""
    network = pool.network
    if network is None or not any(part.kv_bytes_per_s for part in parts):
        return []
    made = []
    for scope, link in (("node", network.node), ("rack", network.rack)):
        if link is None:
            continue
        most = link.bandwidth_bytes_per_s / 1e9 * USABLE
        ways: tuple[Literal["out", "in"], ...] = ("out", "in")
        for way in ways:
            flow = NetFlow(
                scope=scope, partition="workload", dimension="kv_gigabytes_per_s", limit=most, direction=way
            )
            made.append(Constraint(flow, HARD, f"KV caches {way} of a {scope}"))
    return made


def _spread(pool: Pool, sizes: Mapping[str, int]) -> list[Sequence[Goal]]:
    """Goal tiers that spread each service over racks and nodes, then use racks evenly."""
    tiers: list[Sequence[Goal]] = []
    spread = [
        Goal(
            GroupCount(
                scope=scope,
                partition="service",
                group_limits={name: float(-(-size // places)) for name, size in sizes.items()},
            ),
            name=f"crowding of {scope}s",
        )
        for scope, places in (("rack", pool.racks), ("node", pool.nodes_in_service))
        if places > 1
    ]
    if spread:
        tiers.append(spread)
    if pool.racks > 1:
        tiers.append([Goal(Balance(scope="rack", dimension="gpus"), name="racks used unevenly")])
    return tiers


def running_nodes(pool: Pool, candidate: Candidate, tenant: Tenant) -> tuple[int, ...]:
    """Node index of each part of a running instance; -1 where it starts or its node is gone."""
    nowhere = (-1,) * candidate.groups
    if tenant.running is None:
        return nowhere
    # Consecutive stages share a node; each node once.
    nodes = [pool.node_index(name) for name in dict.fromkeys(stage.node for stage in tenant.running.stages)]
    if len(nodes) != candidate.groups:
        return nowhere
    return tuple(-1 if node in pool.unavailable else node for node in nodes)
