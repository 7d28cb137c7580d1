"""The examples that Rebalancer ships, stated in this language from its documentation."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from specs import (
    HARD,
    Balance,
    ByItem,
    Capacity,
    Constraint,
    Dimension,
    Entities,
    Goal,
    GroupCount,
    MinimizeMovement,
    Problem,
    ScopeAffinities,
)

__all__ = ["knapsack", "shard_allocation", "tasks_on_hosts", "tupperware", "web_balancing"]

_EXAMPLES = Path(__file__).parents[2] / "examples" / "problems"


def _example(name: str) -> Problem:
    from specs.document import load_problem

    return load_problem(_EXAMPLES / f"{name}.yaml").problem


def knapsack(seed: int, size: tuple[int, ...]) -> Problem:
    """15 items into 5 bins of 100; the optimum is 395."""
    del seed, size
    return _example("knapsack")


def tasks_on_hosts(seed: int, size: tuple[int, ...]) -> Problem:
    """12 tasks on 4 hosts, one of them to be freed; the optimum has 0, 6, 3 and 3 tasks."""
    del seed, size
    return _example("tasks_on_hosts")


def shard_allocation(seed: int, size: tuple[int, ...]) -> Problem:
    """Five shards on four hosts in two racks: CPU by host, network by rack, few moves."""
    del seed, size
    return Problem(
        objects=Entities(name="shard", count=5),
        containers=Entities(name="host", count=4),
        assignment=np.zeros(5, np.int32),
        scopes={"rack": np.array([0, 0, 1, 1])},
        dimensions={
            "cpu": Dimension(objects=[30, 20, 10, 40, 30], containers=100),
            "network": Dimension(objects=[200, 100, 400, 100, 300], items={"rack": 1000}),
        },
        constraints=[Capacity(scope="host", dimension="cpu"), Capacity(scope="rack", dimension="network")],
        goals=[[Goal(Balance(scope="host", dimension="cpu", formula="ideal"), 1 / 100)], MinimizeMovement()],
    )


def tupperware(seed: int, size: tuple[int, ...]) -> Problem:
    """500 jobs of 4 tasks on 10 racks of 10 hosts; replica j of every job starts on host 10 j.

    Compute needs 1 of 100, storage 1 (jobs below 250) or 10 of 1000; at most one task of a job in a rack;
    both balanced by the formula ``ideal``, divided by the capacity so that an even level of 0.2 and 0.11
    gives ``100 · 0.2² = 4`` and ``100 · 0.11² = 1.21``, 5.21 together.
    """
    del seed
    jobs, racks = (*size, 500, 10)[:2] if size else (500, 10)
    task = np.arange(4 * jobs)
    return Problem(
        objects=Entities(name="task", count=4 * jobs),
        containers=Entities(name="host", count=10 * racks),
        assignment=10 * (task % 4),
        scopes={"rack": np.arange(10 * racks) // 10},
        partitions={"job": task // 4},
        dimensions={
            "compute": Dimension(objects=1, containers=100),
            "storage": Dimension(objects=np.where(task // 4 < jobs // 2, 1.0, 10.0), containers=1000),
        },
        constraints=[
            Capacity(scope="host", dimension="compute"),
            Capacity(scope="host", dimension="storage"),
            GroupCount(scope="rack", partition="job", limit=1),
        ],
        goals=[
            [
                Goal(Balance(scope="host", dimension="compute", formula="ideal"), 1 / 100),
                Goal(Balance(scope="host", dimension="storage", formula="ideal"), 1 / 1000),
            ]
        ],
    )


def web_balancing(seed: int, size: tuple[int, ...]) -> Problem:
    """Traffic of 5 continents in 100 buckets each, random on 4 regions: latency, movement and balance.

    Requests by bucket uniform in 0..99; regions take 10, 10, 5 and 10 thousand, of which 80 % may be used.
    The goal is ``100 · Σ rps · latency / (Σ rps · largest latency) + 100 · moved share of rps + 50 · Σ (r −
    T)⁺``. The latencies are ours: the peer's are not published.
    """
    buckets = size[0] if size else 100
    rng = random.Random(seed)
    n, regions = 5 * buckets, 4
    start = np.array([rng.randrange(regions) for _ in range(n)], np.int32)
    rps = np.array([rng.randint(0, 99) for _ in range(n)], np.float64)
    latency_ms = np.array(
        [[20, 80, 120, 180], [80, 20, 90, 140], [120, 90, 20, 80], [180, 140, 80, 20], [110, 130, 150, 60]]
    )
    continent = np.arange(n) // buckets
    items, objects = np.repeat(np.arange(regions), n), np.tile(np.arange(n), regions)
    cost = rps[objects] * latency_ms[continent[objects], items] / (rps.sum() * latency_ms.max())
    return Problem(
        objects=Entities(name="bucket", count=n),
        containers=Entities(name="region", count=regions),
        assignment=start,
        dimensions={
            "rps": Dimension(objects=rps, containers=np.array([10e3, 10e3, 5e3, 10e3]) * buckets / 100),
            "moved": Dimension(objects=rps / rps.sum()),
            "latency": Dimension(objects=0, by_item=ByItem(scope="region", columns=(items, objects, cost))),
        },
        constraints=[Constraint(Capacity(scope="region", dimension="rps", fraction=0.8), HARD)],
        goals=[
            [
                Goal(ScopeAffinities(scope="region", dimension="latency", affinities=-1.0), 100),
                Goal(MinimizeMovement(dimension="moved"), 100),
                Goal(Balance(scope="region", dimension="rps"), 50),
            ]
        ],
    )
