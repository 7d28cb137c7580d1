"""What sizing may never exceed, whatever the goals: the GPUs of each pool, and how groups pack into nodes."""

from __future__ import annotations

import numpy as np

from planner.sizing.columns import Columns

__all__ = ["limit_supply"]


def limit_supply(columns: Columns) -> None:
    """Constrain the GPUs per pool; and for every k, groups of more than 1/(k+1) node to k a node."""
    builder, pools = columns.builder, columns.fleet.pools
    withheld = columns.problem.withheld_gpus
    supply = np.array([pool.usable_gpus - withheld.get(pool.name, 0) for pool in pools], np.float64)
    builder.constrain(builder.affine([(columns.gpus_per_pool(), 1.0)], -supply), name="GPUs per pool")
    if columns.fleet.policies.shortage == "refuse":
        _hold_adapters(columns)
    if barred := columns.problem.barred:
        used = np.array([float(index in barred) for index in range(len(columns.candidates))])
        builder.constrain(builder.total(columns.weighted(used)), name="caches beyond the links")
    groups, size = columns.each(lambda c: c.groups), columns.each(lambda c: c.gpus_per_group)
    for pool in pools:
        # Larger groups pack worse than their GPU count says: on 6-GPU nodes only one group of 4 fits.
        mine = columns.each(lambda c, name=pool.name: c.pool == name) > 0  # type: ignore[misc]
        for k in sorted({pool.gpus_per_node // int(each) for each in size[mine]}):
            large = mine & (size > pool.gpus_per_node / (k + 1))
            held = builder.total(columns.weighted(groups * large))
            builder.constrain(
                builder.affine([(held, 1.0)], -float(k * pool.nodes_in_service)),
                name=f"{pool.name}: groups of more than 1/{k + 1} node",
            )


def _hold_adapters(columns: Columns) -> None:
    """Constrain workloads with adapters to as many instances as the copies of those need."""
    workloads = [w for w in columns.fleet.workloads if w.adapters is not None and w.rate_per_s > 0]
    if not workloads:
        return
    least = np.array([float(w.adapters.least_instances) for w in workloads if w.adapters is not None])
    onto = columns.onto("workload", [w.name for w in workloads], lambda c: c.workload)
    running = columns.builder.total(columns.weighted(1.0), onto)
    columns.builder.constrain(columns.builder.affine([(running, -1.0)], least), name="slots for adapters")
