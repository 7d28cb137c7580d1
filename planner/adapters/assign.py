"""Adapters onto the instances of their base model, as an assignment problem of the spec language.

Hard: slots of an instance, its capacity, one copy of an adapter an instance. Goals: every copy has a place
(dearest first: those with most requests), copies lie on different nodes, racks or zones where the fleet
must outlive the loss of one, what instances do for adapters is level, and what is loaded stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from planner.fleet.adapters import Adapter, Adapters
from planner.fleet.fleet import Fleet, ServedWorkload
from planner.plan.adapters import AdapterSlot
from planner.plan.instance import Instance
from solvers import SolveOptions, solve
from specs import (
    HARD,
    Balance,
    Capacity,
    Constraint,
    Dimension,
    Entities,
    Goal,
    GroupCount,
    MaximizeAllocation,
    MinimizeMovement,
    Problem,
    compile_problem,
)
from specs.grouping import Labelled

__all__ = ["adapter_notes", "adapter_problem", "with_adapters"]


@dataclass(frozen=True, slots=True)
class _Copy:
    adapter: Adapter
    number: int
    rate_per_s: float


def with_adapters(
    fleet: Fleet,
    instances: Sequence[Instance],
    current: Sequence[Instance],
    options: Callable[[], SolveOptions],
) -> tuple[Instance, ...]:
    """Return the instances, those of workloads with adapters with what they hold.

    Parameters
    ----------
    current
        What runs, with what it holds: an adapter stays where it is loaded, where nothing else counts.
    """
    held: dict[str, tuple[AdapterSlot, ...]] = {}
    for workload in fleet.workloads:
        mine = [instance for instance in instances if instance.workload == workload.name]
        if workload.adapters is None or not mine:
            continue
        held |= _assigned(fleet, workload, workload.adapters, mine, current, options)
    return tuple(
        replace(instance, adapters=held[instance.name]) if instance.name in held else instance
        for instance in instances
    )


def adapter_notes(fleet: Fleet, instances: Sequence[Instance]) -> list[str]:
    """Say which adapters are on fewer instances than asked for."""
    copies: dict[tuple[str, str], int] = defaultdict(int)
    for instance in instances:
        for slot in instance.adapters:
            copies[instance.workload, slot.name] += 1
    notes = []
    for workload in fleet.workloads:
        adapters = workload.adapters
        if adapters is None or not any(i.workload == workload.name for i in instances):
            continue
        short = [a.name for a in adapters.adapters if copies[workload.name, a.name] < adapters.copies]
        if short:
            shown = ", ".join(short[:5]) + (", …" if len(short) > 5 else "")
            notes.append(
                f"{len(short)} of the {len(adapters.adapters)} adapters of {workload.name} are on fewer than "
                f"{adapters.copies} instances ({shown}): more slots or instances would hold them"
            )
    return notes


def _assigned(
    fleet: Fleet,
    workload: ServedWorkload,
    adapters: Adapters,
    instances: Sequence[Instance],
    current: Sequence[Instance],
    options: Callable[[], SolveOptions],
) -> dict[str, tuple[AdapterSlot, ...]]:
    copies = _copies(workload, adapters)
    problem = adapter_problem(fleet, adapters, copies, instances, _start(copies, instances, current))
    result = solve(compile_problem(problem), options())
    places = [-1] * len(copies) if result.assignment is None else result.assignment.tolist()
    placed: dict[str, int] = defaultdict(int)
    for copy, place in zip(copies, places, strict=True):
        placed[copy.adapter.name] += place >= 0
    found: dict[str, list[AdapterSlot]] = {instance.name: [] for instance in instances}
    for copy, place in zip(copies, places, strict=True):
        if place >= 0:
            rate = workload.rate_per_s * copy.adapter.share / placed[copy.adapter.name]
            slot = AdapterSlot(name=copy.adapter.name, repository=copy.adapter.repository, rate_per_s=rate)
            found[instances[place].name].append(slot)
    return {name: tuple(sorted(slots, key=lambda s: s.name)) for name, slots in found.items()}


def _copies(workload: ServedWorkload, adapters: Adapters) -> list[_Copy]:
    return [
        _Copy(adapter, number, workload.rate_per_s * adapter.share / adapters.copies)
        for adapter, number in product(adapters.adapters, range(adapters.copies))
    ]


def _start(
    copies: Sequence[_Copy], instances: Sequence[Instance], current: Sequence[Instance]
) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """int32[copy]: the instance that holds each today, -1 for none."""
    place = {instance.name: index for index, instance in enumerate(instances)}
    running: Mapping[str, Instance] = {i.name: i for i in current if i.name in place}
    where: dict[str, list[int]] = defaultdict(list)
    for name, instance in running.items():
        if instance.shape == instances[place[name]].shape:
            for slot in instance.adapters:
                where[slot.name].append(place[name])
    start = np.full(len(copies), -1, np.int32)
    for index, copy in enumerate(copies):
        known = where[copy.adapter.name]
        if copy.number < len(known):
            start[index] = known[copy.number]
    return start


def adapter_problem(
    fleet: Fleet,
    adapters: Adapters,
    copies: Sequence[_Copy],
    instances: Sequence[Instance],
    start: np.ndarray[tuple[int], np.dtype[np.int32]],
) -> Problem:
    """Return the problem of copies of adapters on instances.

    Parameters
    ----------
    start
        int32[copy]: instance of each today.
    """
    names = list(dict.fromkeys(copy.adapter.name for copy in copies))
    number = {name: index for index, name in enumerate(names)}
    of = np.array([number[copy.adapter.name] for copy in copies], np.int32)
    rates = np.array([copy.rate_per_s for copy in copies])
    goals = [[Goal(MaximizeAllocation(scope="service", dimension="worth"), name="copies with a place")]]
    loss_of = fleet.policies.loss_of
    scopes: dict[str, dict[str, str]] = {"service": {instance.name: "all" for instance in instances}}
    if loss_of is not None:
        scopes[loss_of] = _places(fleet, instances, loss_of)
        most = float(-(-adapters.copies // len(set(scopes[loss_of].values()))))
        spread = GroupCount(scope=loss_of, partition="adapter", limit=most)
        goals.append([Goal(spread, name=f"copies that share a {loss_of}")])
    goals.append(
        [Goal(Balance(scope="instance", dimension="requests", formula="squares"), name="unevenness")]
    )
    if (start >= 0).any():
        goals.append([Goal(MinimizeMovement(), name="adapters that are loaded anew")])
    return Problem(
        objects=Entities(name="copy", ids=[f"{copy.adapter.name}/{copy.number}" for copy in copies]),
        containers=Entities(name="instance", ids=[instance.name for instance in instances]),
        assignment=start,
        may_be_unassigned=True,
        scopes=dict(scopes),
        partitions={"adapter": Labelled(labels=names, index=of)},
        dimensions={
            "requests": Dimension(
                objects=rates,
                containers=np.array([instance.expected.capacity_per_s for instance in instances]),
                unit="1/s",
            ),
            # every place counts; of two, that of the adapter with more requests counts more
            "worth": Dimension(objects=1.0 + rates / max(float(rates.max()), 1e-9)),
        },
        constraints=[
            Constraint(
                Capacity(scope="instance", dimension="count", limit=float(adapters.slots)), HARD, "slots"
            ),
            Constraint(Capacity(scope="instance", dimension="requests"), HARD, "capacity of an instance"),
            Constraint(GroupCount(scope="instance", partition="adapter", limit=1), HARD, "copies apart"),
        ],
        goals=goals,
    )


def _places(fleet: Fleet, instances: Sequence[Instance], loss_of: str) -> dict[str, str]:
    """Node, rack or zone of each instance (of its first stage)."""
    if loss_of == "zone":
        return {instance.name: fleet.pool(instance.pool).zone for instance in instances}
    nodes = {instance.name: instance.stages[0].node for instance in instances}
    return nodes if loss_of == "node" else {name: node.rsplit("/", 1)[0] for name, node in nodes.items()}
