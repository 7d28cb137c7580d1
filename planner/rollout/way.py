"""A transition between two sets of instances, without the fleet document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from planner.plan import Instance
from planner.plan.transition import Transition
from planner.transition import LoadTier, StepTimes, floors_between, plan_transition

__all__ = ["way_between"]

FLOOR_SHARES = (1.0, 0.9, 0.75, 0.5, 0.25, 0.0)
"""Shares of what both sets serve that are tried as the floor, best first. At 0 there always is an order."""
LOAD_S = 60.0
"""Assumed for reading the weights of any instance: sizes are in the fleet document only."""
_DISK = LoadTier("local disk", 5e9)
_TIMES = StepTimes(
    weight_bytes=lambda instance: (
        LOAD_S * _DISK.bandwidth_bytes_per_s * len({s.node for s in instance.stages})
    ),
    tiers=lambda _: (_DISK,),
    start_s=60.0,
)


def way_between(
    current: Sequence[Instance], new: Sequence[Instance], gpus_per_node: Mapping[str, int]
) -> Transition:
    """Ordered steps that keep as much as possible of what both sets serve.

    Parameters
    ----------
    current, new
        With names that are unique over both; what has the same name, shape and GPUs in both goes on.
    gpus_per_node
        By pool.
    """
    nodes: dict[str, dict[str, int]] = {}
    for instance in (*current, *new):
        held = nodes.setdefault(instance.pool, {})
        for stage in instance.stages:
            most = max(gpus_per_node.get(instance.pool, 0), 1 + max(stage.gpus))
            held[stage.node] = max(held.get(stage.node, 0), most)
    for share in FLOOR_SHARES:
        found = plan_transition(
            current, new, nodes=nodes, times=_TIMES, floors=floors_between(current, new, share)
        )
        if found.blocked is None:
            break
    lowered = (
        (f"no order found keeps more than {100 * share:g} % of what both plans serve",) if share < 1 else ()
    )
    assumed = f"every instance is taken to load in {LOAD_S:g} s and to be ready 60 s later"
    return replace(found, assumptions=(*lowered, assumed) if found.steps else lowered)
