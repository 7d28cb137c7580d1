"""What a limit on placement may name: the parts of instances, the nodes of a pool, and what groups them.

=============  ====================================================================================
objects        ``part``: a node-sized part of an instance (mostly the whole instance)
containers     ``node``
scopes         ``node`` (named ``pool/rack/node`` as in plans), ``rack`` (``r0``, ``r1`` …), ``pool``
partitions     ``service`` (workload and role: ``chat mixed``), ``workload``, ``model``, ``tenant``,
               ``role``, ``instance``
dimensions     ``gpus``; ``power_watts`` (GPUs times the power of one); ``count``;
               ``kv_gigabytes_per_s`` (caches that prefill sends, negative for decode that receives)
=============  ====================================================================================

Every workload, model, tenant and role of the fleet is a group on every pool, with or without parts there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.graph.space import Ints
from planner.fleet.fleet import Pool, ServedWorkload
from specs import Constraint, Dimension, Entities, Goal, Problem
from specs.grouping import Labelled

__all__ = ["Part", "problem_of"]

ROLES = ("mixed", "prefill", "decode")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A node-sized part of an instance.

    Parameters
    ----------
    column
        Index of the candidate it is of; decides which parts are alike.
    kv_bytes_per_s
        KV caches it sends (above 0) or receives (below 0).
    """

    name: str
    instance: str
    workload: str
    role: str
    gpus: int
    column: int = 0
    kv_bytes_per_s: float = 0.0


def problem_of(
    pool: Pool,
    workloads: Sequence[ServedWorkload],
    parts: Sequence[Part],
    *,
    start: Ints | None,
    constraints: Sequence[Constraint] = (),
    goals: Sequence[Sequence[Goal]] = (),
    may_be_unassigned: bool = False,
) -> Problem:
    """Return the problem of parts on the nodes of a pool.

    Parameters
    ----------
    start
        int32[part]: node index each part runs on today, -1 for none; None: none runs.
    """
    return Problem(
        objects=Entities(name="part", ids=[part.name for part in parts]),
        containers=Entities(name="node", ids=[pool.node_name(node) for node in range(pool.nodes)]),
        assignment=np.full(len(parts), -1, np.int32) if start is None else start,
        may_be_unassigned=may_be_unassigned,
        scopes={
            "rack": np.array([f"r{pool.rack_of(node)}" for node in range(pool.nodes)]),
            "pool": {pool.node_name(node): pool.name for node in range(pool.nodes)},
        },
        partitions=_partitions(workloads, parts),
        dimensions={
            "gpus": Dimension(
                objects=np.array([float(part.gpus) for part in parts]),
                containers=_room(pool),
                unit="GPUs",
            ),
            "power_watts": Dimension(
                objects=np.array([part.gpus * pool.gpu_watts for part in parts]), unit="W"
            ),
            "kv_gigabytes_per_s": Dimension(
                objects=np.array([part.kv_bytes_per_s / 1e9 for part in parts]), unit="GB/s"
            ),
        },
        constraints=constraints,
        goals=goals,
    )


def _room(pool: Pool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """float64[node]: GPUs of each node that is in service."""
    room = np.full(pool.nodes, float(pool.gpus_per_node))
    room[list(pool.unavailable)] = 0.0
    return room


def _partitions(workloads: Sequence[ServedWorkload], parts: Sequence[Part]) -> dict[str, Labelled]:
    of = {workload.name: workload for workload in workloads}
    groups: dict[str, tuple[list[str], list[str]]] = {
        "service": (
            [f"{workload.name} {role}" for workload in workloads for role in ROLES],
            [f"{part.workload} {part.role}" for part in parts],
        ),
        "workload": ([w.name for w in workloads], [part.workload for part in parts]),
        "model": ([w.model for w in workloads], [of[part.workload].model for part in parts]),
        "tenant": ([w.tenant for w in workloads], [of[part.workload].tenant for part in parts]),
        "role": (list(ROLES), [part.role for part in parts]),
        "instance": ([part.instance for part in parts], [part.instance for part in parts]),
        "column": ([str(part.column) for part in parts], [str(part.column) for part in parts]),
    }
    made = {}
    for partition, (names, members) in groups.items():
        labels = list(dict.fromkeys(names))
        place = {label: index for index, label in enumerate(labels)}
        made[partition] = Labelled(labels=labels, index=np.array([place[m] for m in members], np.int32))
    return made
