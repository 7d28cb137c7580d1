"""``policies.parallelism.forbid``: ways to run that the planner may not use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from models.errors import UnknownName
from planner.fleet.fleet import Forbidden
from planner.fleet.schema import ForbiddenEntry

if TYPE_CHECKING:
    from planner.fleet.resolve import Resolver

__all__ = ["forbidden_ways"]


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
