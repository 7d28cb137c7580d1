"""The synthetic benchmarks of the peer's repository, re-created: where its figures are known."""

from __future__ import annotations

import numpy as np

from specs import (
    Capacity,
    ColocateGroups,
    Dimension,
    Entities,
    GroupCount,
    MaximizeAllocation,
    Problem,
)

__all__ = ["colocate", "group_limit", "sev0", "single"]


def group_limit(seed: int, size: tuple[int, ...]) -> Problem:
    """All shards on one host; a goal of at most one shard of a group on a host.

    `size`: shards, hosts, groups.
    """
    del seed
    n, hosts, groups = size if size else (1_000, 100, 50)
    return Problem(
        objects=Entities(name="shard", count=n),
        containers=Entities(name="host", count=hosts),
        assignment=np.zeros(n, np.int32),
        partitions={"group": np.arange(n) % groups},
        goals=[GroupCount(scope="host", partition="group", limit=1)],
    )


def colocate(seed: int, size: tuple[int, ...]) -> Problem:
    """Pairs of tasks at random on many hosts; both of a pair on one host. `size`: tasks, hosts."""
    n, hosts = size if size else (500, 5_000)
    rng = np.random.default_rng(seed)
    return Problem(
        objects=Entities(name="task", count=n),
        containers=Entities(name="host", count=hosts),
        assignment=rng.integers(0, hosts, n, dtype=np.int32),
        partitions={"pair": np.arange(n) // 2},
        constraints=[ColocateGroups(scope="host", partition="pair")],
    )


def single(seed: int, size: tuple[int, ...]) -> Problem:
    """All tasks to be placed on few hosts that have room for all. `size`: tasks, hosts."""
    del seed
    n, hosts = size if size else (100_000, 19)
    return Problem(
        objects=Entities(name="task", count=n),
        containers=Entities(name="host", count=hosts),
        dimensions={
            "number": Dimension(objects=np.arange(n, dtype=np.float64), containers=float(n) * n),
        },
        constraints=[Capacity(scope="host", dimension="number")],
        goals=[MaximizeAllocation(scope="host")],
    )


def sev0(seed: int, size: tuple[int, ...]) -> Problem:
    """240 hosts with one task too many on a large fleet, under seven limits that count during the change.

    1,785,756 tasks on 27,766 hosts; `size` (k,) divides both by k. Compute needs 1 of 110; six storage
    dimensions need 1 to 9 of 1,000.
    """
    k = size[0] if size else 1
    n, hosts, hot = 1_785_756 // k, 27_766 // k, max(1, 240 // k)
    rng = np.random.default_rng(seed)
    on_hot = np.repeat(np.arange(hot), 111)
    others = rng.integers(hot, hosts - hot, n - on_hot.size)
    names = ["compute", *(f"storage{i}" for i in range(6))]
    dimensions = {"compute": Dimension(objects=1, containers=110)}
    for name in names[1:]:
        dimensions[name] = Dimension(objects=rng.integers(1, 10, n).astype(np.float64), containers=1_000)
    return Problem(
        objects=Entities(name="task", count=n),
        containers=Entities(name="host", count=hosts + 1),
        assignment=np.concatenate([on_hot, others]).astype(np.int32),
        dimensions=dimensions,
        constraints=[
            *(Capacity(scope="host", dimension=d) for d in names),
            *(Capacity(scope="host", dimension=d, counted="during") for d in names),
        ],
    )
