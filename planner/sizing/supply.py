"""What sizing may never exceed, whatever the goals: the GPUs of each pool, and how groups pack into nodes."""

from __future__ import annotations

import numpy as np

from planner.sizing.columns import Columns

__all__ = ["SUPPLY", "limit_supply"]

SUPPLY = "GPUs per pool"
"""Name of the constraint on the GPUs of the pools."""


def limit_supply(columns: Columns) -> None:
    """Constrain the GPUs per pool; and for every k, groups of more than 1/(k+1) node to k a node."""
    builder, pools = columns.builder, columns.fleet.pools
    withheld = columns.problem.withheld_gpus
    supply = np.array([pool.usable_gpus - withheld.get(pool.name, 0) for pool in pools], np.float64)
    builder.constrain(builder.affine([(columns.gpus_per_pool(), 1.0)], -supply), name=SUPPLY)
    if barred := columns.problem.barred:
        used = np.array([float(index in barred) for index in range(len(columns.candidates))])
        builder.constrain(builder.total(columns.weighted(used)), name="caches beyond the links")
    for pool in pools:
        # Larger groups pack worse than their GPU count says: on 6-GPU nodes only one group of 4 fits.
        mine = [c for c in columns.candidates if c.pool == pool.name]
        for k in sorted({pool.gpus_per_node // c.gpus_per_group for c in mine}):
            most = pool.gpus_per_node / (k + 1)
            large = np.array(
                [
                    float(c.groups if c.pool == pool.name and c.gpus_per_group > most else 0)
                    for c in columns.candidates
                ]
            )
            groups = builder.total(columns.weighted(large))
            builder.constrain(
                builder.affine([(groups, 1.0)], -float(k * pool.nodes_in_service)),
                name=f"{pool.name}: groups of more than 1/{k + 1} node",
            )
