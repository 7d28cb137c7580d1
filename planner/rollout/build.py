"""The body of the next rollout, from what stands now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from models.errors import InvalidInput, UnknownName, Unsupported
from planner.plan import Instance, Plan, Stage
from planner.plan.transition import Step, Transition
from planner.rollout.body import LaunchPart, RolloutBody, Seat, Target
from planner.rollout.progress import Progress
from planner.rollout.way import way_between

__all__ = ["build_rollout", "standing_seats"]

_Copies = dict[str, tuple[str, tuple[Stage, ...]]]
"""Copies on spare GPUs, by id: of what, where."""


def standing_seats(progress: Progress | None) -> tuple[Seat, ...]:
    """The instances that stand according to a rollout, each with the phase it is in."""
    if progress is None:
        return ()
    phases = [(seat, progress.stands(seat)) for seat in progress.body.seats]
    return tuple(replace(seat, phase=phase) for seat, phase in phases if phase != "absent")


def build_rollout(
    generation: int, plan: Plan, *, base: Plan | None = None, standing: Sequence[Seat] = ()
) -> RolloutBody:
    """Steps from what stands to a plan.

    The transition in the plan is taken where it begins with what stands; else the way is found from the two
    sets of instances alone.

    Parameters
    ----------
    generation
        Of the promotion.
    base
        The plan that was given as current when `plan` was made.
    standing
        See `standing_seats`.
    """
    ids = _ids(generation, plan.instances, standing)
    stand = {seat.id: seat for seat in standing}
    if plan.transition is not None and plan.transition.blocked is None and _is_base(base, standing):
        steps, copies = _planned(generation, plan.transition, ids, stand)
        assumptions = plan.transition.assumptions
        gone = stand.keys() - {step.instance for step in steps} - set(ids.values())
    else:
        steps, copies, assumptions = _found(generation, plan, ids, standing)
        gone = set()
    instances = {seat.id: seat.instance for seat in standing if seat.id not in gone}
    instances |= {ids[i.name]: i for i in plan.instances}
    instances |= {
        key: replace(stand[source].instance, name=key.rpartition("@")[0], stages=stages)
        for key, (source, stages) in copies.items()
    }
    steps = _switched_back(steps, [s for s in standing if s.phase == "loaded"], set(ids.values()))
    fresh = {key: value for key, value in instances.items() if key not in stand}
    seats = [replace(stand[key], instance=instances[key]) for key in instances if key in stand]
    seats += _new_seats(plan, fresh, seats)
    return RolloutBody(
        generation=generation,
        steps=tuple(steps),
        seats=tuple(sorted(seats, key=lambda seat: seat.id)),
        targets={
            w.name: Target(ttft_percentile=w.ttft_percentile, tpot_percentile=w.tpot_percentile)
            for w in plan.workloads
        },
        assumptions=assumptions,
    )


def _ids(generation: int, instances: Sequence[Instance], standing: Sequence[Seat]) -> dict[str, str]:
    """Id of each instance of the plan by its name: that of the one that stands in its place, or a new one."""
    known = {(s.instance.name, s.instance.shape, s.instance.stages): s.id for s in standing}
    return {i.name: known.get((i.name, i.shape, i.stages), f"{i.name}@{generation}") for i in instances}


def _is_base(base: Plan | None, standing: Sequence[Seat]) -> bool:
    """Whether exactly the instances of a plan stand, and serve."""
    if base is None or any(seat.phase != "serving" for seat in standing):
        return False
    stand = sorted((s.instance.name, s.instance.shape, s.instance.stages) for s in standing)
    return stand == sorted((i.name, i.shape, i.stages) for i in base.instances)


def _planned(
    generation: int, transition: Transition, ids: Mapping[str, str], stand: Mapping[str, Seat]
) -> tuple[list[Step], _Copies]:
    """The steps of the plan's own transition, which names instances by side and name."""
    current = {seat.instance.name: seat.id for seat in stand.values()}
    copies: _Copies = {}

    def named(step: Step) -> str:
        if step.side == "temporary":
            key = f"{step.instance}@{generation}"
            copies[key] = (current[step.instance.removesuffix("-temporary")], step.stages)
            return key
        return (ids if step.side == "new" else current)[step.instance] if step.instance else ""

    return [replace(step, instance=named(step)) for step in transition.steps], copies


def _found(
    generation: int, plan: Plan, ids: Mapping[str, str], standing: Sequence[Seat]
) -> tuple[list[Step], _Copies, tuple[str, ...]]:
    """Steps between instances named by their ids: names alone may stand twice in the middle of a move."""
    way = way_between(
        [replace(seat.instance, name=seat.id) for seat in standing],
        [replace(instance, name=ids[instance.name]) for instance in plan.instances],
        {pool.name: pool.gpus_per_node for pool in plan.pools},
    )
    copies: _Copies = {}
    steps = []
    for step in way.steps:
        if step.side == "temporary":
            source = step.instance.removesuffix("-temporary")
            key = f"{source.replace('@', '-')}-temporary@{generation}"
            copies[key] = (source, step.stages)
            step = replace(step, instance=key)  # noqa: PLW2901
        steps.append(step)
    return steps, copies, way.assumptions


def _switched_back(steps: Sequence[Step], idle: Sequence[Seat], wanted: set[str]) -> list[Step]:
    """The steps after a switch of each instance that goes on but takes no requests: it was to go, or had only
    been loaded. No instance of its workload stops before.
    """
    back = [
        Step(
            index=index, kind="switch", instance=seat.id, workload=seat.instance.workload,
            stages=seat.instance.stages, start_s=0.0, end_s=1.0, after=(), side="new",
        )
        for index, seat in enumerate(seat for seat in idle if seat.id in wanted)
    ]  # fmt: skip
    first = len(back)
    moved = []
    for step in steps:
        after = {before + first for before in step.after}
        if step.kind in ("drain", "migrate"):
            after |= {one.index for one in back if one.workload == step.workload}
        moved.append(replace(step, index=step.index + first, after=tuple(sorted(after))))
    return back + moved


def _new_seats(plan: Plan, fresh: Mapping[str, Instance], taken: Sequence[Seat]) -> list[Seat]:
    """Seats of instances that do not stand yet, each with ports nobody on its nodes has."""
    from planner.export.shared.launch import nodes_of, port_count_of

    ports = {(node, port) for seat in taken for node in seat.nodes for port in _ports(seat)}
    seats = []
    for key, instance in sorted(fresh.items()):
        offset, count, nodes = 0, port_count_of(instance), nodes_of(instance)
        while any((node, offset + i) in ports for node in nodes for i in range(count)):
            offset += 1
        ports |= {(node, offset + i) for node in nodes for i in range(count)}
        seats.append(
            Seat(
                id=key, instance=instance, launches=_launches(plan, key, instance, offset),
                port_offset=offset, port_count=count, phase="absent",
            )
        )  # fmt: skip
    return seats


def _ports(seat: Seat) -> range:
    return range(seat.port_offset, seat.port_offset + seat.port_count)


def _launches(plan: Plan, key: str, instance: Instance, offset: int) -> tuple[LaunchPart, ...]:
    """Commands of one instance; none where the exporter of its engine refuses."""
    from planner.service.launches import plan_commands

    alone = replace(plan, instances=(replace(instance, name=key),))
    try:
        commands = plan_commands(alone, {key: offset})
    except (Unsupported, UnknownName, InvalidInput):
        return ()
    return tuple(
        LaunchPart(node=one.node, command=one.command, environment=dict(one.environment)) for one in commands
    )
