"""What must change to get from the plan that runs today to a new one."""

from __future__ import annotations

from collections.abc import Sequence

from planner.plan.instance import Instance
from planner.plan.outcome import Move

__all__ = ["moves_between"]


def moves_between(current: Sequence[Instance], new: Sequence[Instance]) -> tuple[Move, ...]:
    """Return the changes, stops first, then moves, then starts, each by instance name.

    An instance keeps its name for as long as it runs with the same `Instance.shape`. One name with two
    shapes is a stop and a start; the same name and shape on other GPUs is a move.
    """
    before = {instance.name: instance for instance in current}
    after = {instance.name: instance for instance in new}
    stops, relocations, starts = [], [], []
    for name in sorted(before.keys() | after.keys()):
        old, fresh = before.get(name), after.get(name)
        if old is not None and fresh is not None and old.shape == fresh.shape:
            if old.stages != fresh.stages:
                relocations.append(
                    Move(action="move", instance=name, from_stages=old.stages, to_stages=fresh.stages)
                )
            continue
        if old is not None:
            stops.append(Move(action="stop", instance=name, from_stages=old.stages, to_stages=()))
        if fresh is not None:
            starts.append(Move(action="start", instance=name, from_stages=(), to_stages=fresh.stages))
    return (*stops, *relocations, *starts)
