"""One pool's placement as an assignment problem of the spec language.

Objects are node-sized parts of instances (`Candidate.groups` of each), containers are nodes. Hard: GPUs of
a node (Capacity); one part of an instance a node (GroupCount); the spread that sizing counted on when it
made the fleet survive a loss (GroupCount). Goals: running parts stay (AvoidMoving, or MinimizeMovement
where not all can), parts of a service spread over racks and nodes (GroupCount), racks are used evenly
(Balance).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from planner.candidates.candidate import Candidate
from planner.fleet.fleet import Pool
from planner.placement.tenant import Tenant
from specs import (
    HARD,
    AvoidMoving,
    Balance,
    Capacity,
    Constraint,
    Dimension,
    Entities,
    Goal,
    GroupCount,
    MinimizeMovement,
    Problem,
)

__all__ = ["part_name", "placement_problem", "running_nodes"]


def part_name(tenant: Tenant, part: int) -> str:
    """Name of the object that is part `part` of an instance."""
    return f"{tenant.name}/{part}"


def placement_problem(
    pool: Pool,
    tenants: Sequence[Tenant],
    candidates: Sequence[Candidate],
    *,
    loss_of: str | None,
    spread_limits: Mapping[int, int],
    may_move: bool,
) -> Problem:
    """Return the placement problem of one pool.

    Parameters
    ----------
    tenants
        Instances on this pool, at least one.
    spread_limits
        Most parts of a candidate (by index) that one node, or rack, may hold, as `loss_of` says.
    may_move
        Whether running parts may move, as little as possible, or stay where they are.
    """
    parts = [(tenant, part) for tenant in tenants for part in range(candidates[tenant.candidate].groups)]
    names = [part_name(tenant, part) for tenant, part in parts]
    start = [running_nodes(pool, candidates[tenant.candidate], tenant)[part] for tenant, part in parts]
    services: dict[str, list[str]] = defaultdict(list)
    columns: dict[str, list[str]] = defaultdict(list)
    instances: dict[str, list[str]] = defaultdict(list)
    for (tenant, _), name in zip(parts, names, strict=True):
        candidate = candidates[tenant.candidate]
        services[f"{candidate.workload} {candidate.role}"].append(name)
        columns[f"column {tenant.candidate}"].append(name)
        if candidate.groups > 1:
            instances[tenant.name].append(name)
    partitions: dict[str, Mapping[str, Sequence[str]]] = {"service": services, "column": columns}
    constraints = [Constraint(Capacity(scope="node", dimension="gpus"), HARD, "GPUs of a node")]
    if instances:
        partitions["instance"] = instances
        constraints.append(
            Constraint(GroupCount(scope="node", partition="instance", limit=1), HARD, "parts apart")
        )
    if loss_of is not None:
        limits = {column: float(spread_limits[int(column.split()[1])]) for column in columns}
        limit = GroupCount(scope=loss_of, partition="column", group_limits=limits)
        constraints.append(Constraint(limit, HARD, f"survive the loss of a {loss_of}"))
    goals: list[Sequence[Goal]] = []
    if any(node >= 0 for node in start):
        if may_move:
            goals.append([Goal(MinimizeMovement(dimension="gpus"), name="GPUs that move")])
        else:
            constraints.append(Constraint(AvoidMoving(), HARD, "running parts stay"))
    goals += _spread(pool, {name: len(members) for name, members in services.items()})
    return Problem(
        objects=Entities(name="part", ids=names),
        containers=Entities(name="node", ids=[pool.node_name(node) for node in range(pool.nodes)]),
        assignment=np.array(start, np.int32),
        may_be_unassigned=False,
        scopes={"rack": np.array([pool.rack_of(node) for node in range(pool.nodes)], np.int64)},
        partitions=partitions,
        dimensions={
            "gpus": Dimension(
                objects=np.array([float(candidates[tenant.candidate].gpus_per_group) for tenant, _ in parts]),
                containers=float(pool.gpus_per_node),
            )
        },
        constraints=constraints,
        goals=goals,
    )


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
        for scope, places in (("rack", pool.racks), ("node", pool.nodes))
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
    return tuple(nodes) if len(nodes) == candidate.groups else nowhere
