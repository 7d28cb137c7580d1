"""Large problems: replicas on a GPU fleet, shards on hosts of different size."""

from __future__ import annotations

import random

import numpy as np

from specs import (
    Balance,
    Capacity,
    Dimension,
    Entities,
    Goal,
    GroupCount,
    MaximizeAllocation,
    MinimizeMovement,
    Problem,
)

__all__ = ["fleet", "shards"]


def fleet(seed: int, size: tuple[int, ...]) -> Problem:
    """Replicas of many models on nodes of 8 GPUs, 85 % full, some of them not placed at the start.

    `size` is (nodes, models). First tier: minus the GPUs that are placed. Second: ``Σ r²`` of the load by
    node (the formula ``ideal`` divided by the capacity of 8) and 0.001 for every move. At most 6 replicas of
    a model in a rack of 16 nodes. The random numbers are those of the peer's measurement with seed 3.
    """
    nodes, models = size if size else (64, 20)
    rng = random.Random(seed)
    free = [8] * nodes
    model: list[int] = []
    gpus: list[int] = []
    qps: list[float] = []
    start: list[int] = []
    while sum(gpus) < int(0.85 * 8 * nodes):
        model.append(rng.randrange(models))
        gpu = rng.choice([1, 1, 2, 4, 8])
        qps.append(gpu * rng.lognormvariate(0, 0.5))
        tried = [rng.randrange(nodes) for _ in range(4)]
        place = next((node for node in tried if free[node] >= gpu), -1)
        if place >= 0:
            free[place] -= gpu
        gpus.append(gpu)
        start.append(place)
    return Problem(
        objects=Entities(name="replica", count=len(gpus)),
        containers=Entities(name="node", count=nodes),
        assignment=np.array(start, np.int32),
        scopes={"rack": np.arange(nodes) // 16},
        partitions={"model": np.unique(model, return_inverse=True)[1]},
        dimensions={
            "gpu": Dimension(objects=np.array(gpus, np.float64), containers=8),
            "qps": Dimension(objects=np.array(qps), containers=8),
        },
        constraints=[
            Capacity(scope="node", dimension="gpu"),
            GroupCount(scope="rack", partition="model", limit=6),
        ],
        goals=[
            MaximizeAllocation(scope="node", dimension="gpu"),
            [
                Goal(Balance(scope="node", dimension="qps", formula="ideal"), 1 / 8),
                Goal(MinimizeMovement(), 0.001),
            ],
        ],
    )


def shards(seed: int, size: tuple[int, ...]) -> Problem:
    """Shards of three replicas on hosts of two sizes, started at random.

    Three capacities by host, one replica of a shard in a rack. `size` is (objects, hosts, racks). Goal: for
    each dimension ``Σ_h (r_h^1.1 − T^1.1)⁺ / hosts`` with T the mean utilisation at the start, and 1e-4 for
    every move.
    """
    n, hosts, racks = size if size else (9_999, 200, 20)
    rng = np.random.default_rng(seed)
    groups = n // 3
    base = np.column_stack([rng.lognormal(0, s, groups) for s in (0.8, 0.6, 0.7)])
    load = np.repeat(base, 3, axis=0) * rng.uniform(0.9, 1.1, (3 * groups, 3))
    relative = np.where(rng.random(hosts) < 0.5, 1, 2)
    capacity = (relative / relative.sum())[:, None] * load.sum(axis=0) / 0.7
    chance = relative * rng.lognormal(0, 0.35, hosts)
    start = rng.choice(hosts, 3 * groups, p=chance / chance.sum())
    load, capacity = np.maximum(1, np.round(1000 * load)), np.ceil(1000 * capacity)
    names = ("cpu", "memory", "disk")
    return Problem(
        objects=Entities(name="replica", count=3 * groups),
        containers=Entities(name="host", count=hosts),
        assignment=start.astype(np.int32),
        scopes={"rack": np.arange(hosts) % racks},
        partitions={"shard": np.repeat(np.arange(groups), 3)},
        dimensions={
            d: Dimension(objects=load[:, i].copy(), containers=capacity[:, i].copy())
            for i, d in enumerate(names)
        },
        constraints=[
            *(Capacity(scope="host", dimension=d) for d in names),
            GroupCount(scope="rack", partition="shard", limit=1),
        ],
        goals=[
            [
                *(
                    Goal(
                        Balance(
                            scope="host", dimension=d, formula="power", exponent=1.1, target="initial_mean"
                        ),
                        1 / hosts,
                    )
                    for d in names
                ),
                Goal(MinimizeMovement(), 1e-4),
            ]
        ],
    )
