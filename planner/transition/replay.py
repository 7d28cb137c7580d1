"""Check a list of steps by playing it, without the reasoning that made it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from planner.plan import Instance, Stage
from planner.plan.transition import Step, Transition
from planner.transition.capacity import capacity_by_workload, phase_capacity
from planner.transition.order import Action

__all__ = ["lowest_capacity", "replay"]


EPSILON = 1e-9
"""Seconds."""
ROUNDING = 1e-9
"""Requests per second."""


def lowest_capacity(
    steps: Sequence[Step], current: Sequence[Instance], order: Iterable[Action]
) -> dict[str, float]:
    """The least that every workload of the current plan is served at any time, requests per second."""
    instances: dict[tuple[str, str], Instance] = {(a.side, a.instance.name): a.instance for a in order}
    instances.update({("current", i.name): i for i in current})
    events: dict[float, list[tuple[bool, tuple[str, str]]]] = {}
    for step in steps:
        if step.kind == "switch":
            events.setdefault(step.end_s, []).append((True, (step.side, step.instance)))
        elif step.kind in ("drain", "migrate"):
            events.setdefault(step.start_s, []).append((False, (step.side, step.instance)))
    phases: dict[str, dict[str, float]] = {}
    for instance in instances.values():
        phases.setdefault(instance.workload, {"mixed": 0.0, "prefill": 0.0, "decode": 0.0})
    for instance in current:
        phases[instance.workload][instance.role] += instance.expected.capacity_per_s
    lowest = capacity_by_workload(current)
    for _, changes in sorted(events.items()):
        # what takes requests just after this moment, everything that happens at it done
        for begins, key in changes:
            instance = instances[key]
            sign = 1.0 if begins else -1.0
            phases[instance.workload][instance.role] += sign * instance.expected.capacity_per_s
        for workload in sorted({instances[key].workload for _, key in changes} & lowest.keys()):
            have = phase_capacity(**phases[workload])
            # sums of what comes and goes are off by their rounding
            have = 0.0 if abs(have) < ROUNDING else have
            lowest[workload] = min(lowest[workload], have)
    return lowest


def replay(transition: Transition, current: Sequence[Instance], new: Sequence[Instance]) -> tuple[str, ...]:
    """What is wrong with a transition, as sentences; empty when nothing is.

    A GPU held by two instances at once (from the start of ``load`` to the end of ``retire``), a step before
    one it depends on, a workload below its floor at any time, a final state that is not the new plan.
    """
    steps = transition.steps
    if transition.blocked is not None:
        return ()
    wrong = [
        f"step {step.index} starts before step {i} ends"
        for step in steps
        for i in step.after
        if i >= step.index or steps[i].end_s > step.start_s + EPSILON
    ]
    held: dict[tuple[str, int], list[tuple[float, float, str]]] = {}
    since: dict[tuple[str, str], tuple[float, tuple[Stage, ...]]] = {
        ("current", i.name): (0.0, i.stages) for i in current
    }
    for step in steps:
        key = (step.side, step.instance)
        if step.kind == "load":
            since[key] = (step.start_s, step.stages)
        elif step.kind == "retire" and key in since:
            _hold(held, since.pop(key), step.end_s, step.instance)
        elif step.kind == "retire":
            wrong.append(f"step {step.index} retires {step.instance}, which does not run")
    for (_, name), begun in since.items():
        _hold(held, begun, math.inf, name)
    for (node, index), spans in sorted(held.items()):
        wrong.extend(
            f"{a[2]} and {b[2]} both hold GPU {index} of {node} at {b[0]:g} s"
            for a, b in pairwise(sorted(spans))
            if b[0] < a[1] - EPSILON
        )
    for workload, floor in sorted(transition.floors_per_s.items()):
        low = transition.lowest_per_s.get(workload, 0.0)
        if low < floor - 1e-6 * max(floor, 1.0):
            wrong.append(f"{workload} drops to {low:g}, below {floor:g}")
    if {(name, begun[1]) for (_, name), begun in since.items()} != {(i.name, i.stages) for i in new}:
        wrong.append("what runs in the end is not the new plan")
    return tuple(wrong)


def _hold(
    held: dict[tuple[str, int], list[tuple[float, float, str]]],
    begun: tuple[float, tuple[Stage, ...]],
    until: float,
    name: str,
) -> None:
    since, stages = begun
    for stage in stages:
        for index in stage.gpus:
            held.setdefault((stage.node, index), []).append((since, until, name))
