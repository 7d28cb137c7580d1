"""``policies.parallelism``: which ways to run the planner may use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from models.errors import UnknownName
from planner.fleet.fleet import Forbidden
from planner.fleet.schema import ForbiddenEntry, ParallelismEntry

if TYPE_CHECKING:
    from planner.fleet.resolve import Resolver

__all__ = ["expert_degrees", "forbidden_ways"]


def forbidden_ways(resolver: Resolver, entries: Sequence[ForbiddenEntry]) -> tuple[Forbidden, ...]:
    """Return what is forbidden, the mistakes noted with `resolver`."""
    known = {
        "model": [model.name for model in resolver.entry.models],
        "pool": [pool.name for pool in resolver.entry.pools],
    }
    made = []
    for index, entry in enumerate(entries):
        where = ("policies", "parallelism", "forbid", index)
        for kind, names in known.items():
            given = getattr(entry, kind)
            if given is not None and given not in names:
                at = (*where, kind)
                resolver.violations.append(UnknownName(kind, given, names, path=at, **resolver.at(at)))
        stated = entry.model_dump()
        if all(value is None for value in stated.values()):
            resolver.fail("forbids everything: state at least one of " + ", ".join(stated), where)
        made.append(Forbidden(**stated))
    return tuple(made)


def expert_degrees(resolver: Resolver, entry: ParallelismEntry) -> tuple[int, ...] | None:
    """Return the expert-parallel sizes, impossible ones noted with `resolver`; None: not stated."""
    if entry.expert is None:
        return None
    stages = sorted({tensor * data for tensor in entry.tensor for data in entry.data})
    for index, degree in enumerate(entry.expert):
        if all(gpus % degree for gpus in stages):
            known = ", ".join(map(str, stages))
            resolver.fail(
                f"{degree} divides no number of GPUs that a stage can have: tensor × data gives {known}",
                ("policies", "parallelism", "expert", index),
            )
    return tuple(sorted(entry.expert))
