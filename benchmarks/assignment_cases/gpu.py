"""GPU packing: replicas worth something onto nodes, and slices of a machine that overlap."""

from __future__ import annotations

import random

import numpy as np

from specs import (
    HARD,
    AvoidAssignments,
    Capacity,
    Constraint,
    Dimension,
    Entities,
    ExclusiveScopeItems,
    MaximizeAllocation,
    MinimizeContainers,
    Problem,
)

__all__ = ["gap", "gpu_bundles"]


def gap(seed: int, size: tuple[int, ...]) -> Problem:
    """120 replicas of 1, 2, 4 or 8 GPUs onto 24 nodes of 8, about twice too many: place the most value.

    Optima: 335.3, 320.7 and 312.1 for the seeds 1, 2 and 3.
    """
    n, m = size if size else (120, 24)
    rng = random.Random(seed)
    gpus = [rng.choice([1, 1, 2, 2, 4, 4, 8]) for _ in range(n)]
    values = [round(gpu * rng.uniform(0.5, 2), 2) for gpu in gpus]
    return Problem(
        objects=Entities(name="replica", count=n),
        containers=Entities(name="node", count=m),
        dimensions={
            "gpu": Dimension(objects=np.array(gpus, np.float64), containers=8),
            "worth": Dimension(objects=np.array(values)),
        },
        constraints=[Constraint(Capacity(scope="node", dimension="gpu"), HARD)],
        goals=[MaximizeAllocation(scope="node", dimension="worth")],
    )


_CHILDREN = {
    "g4a": ("g2a", "g2b"),
    "g4b": ("g2c", "g2d"),
    "g2a": ("g1a", "g1c"),
    "g2b": ("g1b", "g1d"),
    "g2c": ("g1e", "g1f"),
    "g2d": ("g1g", "g1h"),
    "g8a": ("g4a", "g4b"),
}
_SLICES = ("g8a", "g4a", "g4b", "g2a", "g2b", "g2c", "g2d", *(f"g1{x}" for x in "abcdefgh"))


def _inside(name: str) -> set[str]:
    return {name}.union(*(_inside(child) for child in _CHILDREN.get(name, ())))


def gpu_bundles(seed: int, size: tuple[int, ...]) -> Problem:
    """Machines of 8 GPUs cut into overlapping slices of 8, 4, 2 and 1; keep large slices free.

    Every machine runs one task of 2 GPUs and two of 1, or four of 1, in random slices that do not overlap. A
    task stays on its machine in slices of its size; a slice takes one task; slices that share a GPU are not
    in use together. The goal is the weight (8, 4, 2, 1) of all slices that something in use overlaps. Packed,
    the 4 GPUs of a machine are one slice of 4: what is lost is ``8 + 4 + 2 + 2 + 4 · 1 = 20`` by machine.
    """
    machines = size[0] if size else 20
    rng = random.Random(seed)
    containers = [f"m{i}/{s}" for i in range(machines) for s in _SLICES]
    overlaps = {s: [t for t in _SLICES if _inside(s) & _inside(t)] for s in _SLICES}
    start: dict[str, str | None] = {}
    allowed: dict[str, tuple[str, ...]] = {}
    for i in range(machines):
        used: set[str] = set()
        for k, width in enumerate([2, 1, 1] if rng.random() < 0.5 else [1, 1, 1, 1]):
            fitting = [s for s in _SLICES if s.startswith(f"g{width}")]
            free = [s for s in fitting if not used & _inside(s)]
            chosen = rng.choice(free)
            used |= _inside(chosen)
            start[f"m{i}/t{k}"] = f"m{i}/{chosen}"
            allowed[f"m{i}/t{k}"] = tuple(f"m{i}/{s}" for s in fitting)
    return Problem(
        objects=Entities(name="task", ids=list(start)),
        containers=Entities(name="slice", ids=containers),
        assignment=start,
        scopes={
            "touched": {
                f"m{i}/{s}": [f"m{i}/{t}" for t in overlaps[s]] for i in range(machines) for s in _SLICES
            }
        },
        constraints=[
            Constraint(AvoidAssignments(scope="slice", assignments=allowed, meaning="only"), HARD),
            Constraint(Capacity(scope="slice", dimension="count", limit=1), HARD),
            Constraint(
                ExclusiveScopeItems(
                    scope="slice",
                    conflicts={
                        f"m{i}/{s}": tuple(f"m{i}/{t}" for t in overlaps[s] if t != s)
                        for i in range(machines)
                        for s in _SLICES
                    },
                ),
                HARD,
            ),
        ],
        goals=[
            MinimizeContainers(
                scope="touched",
                costs={f"m{i}/{s}": float(s[1]) for i in range(machines) for s in _SLICES},
            )
        ],
    )
