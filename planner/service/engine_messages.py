"""Engines, assignments and rollouts as messages of the API."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterable

from planner.rollout import Seat
from planner.rollout.progress import Acknowledgement, step_nodes
from planner.service.convert import instance_message, timestamp
from planner.service.names import engine_name, plan_name, rollout_name
from planner.service.parts import step_message
from planner.service.protos import engine_service_pb2, plan_pb2, rollout_pb2
from planner.service.rollouts import RolloutView
from planner.store.records import EngineRecord

__all__ = [
    "assignment_message",
    "covers",
    "engine_gpus",
    "engine_message",
    "rollout_message",
    "waiting_nodes",
]


def engine_gpus(record: EngineRecord) -> frozenset[int]:
    """GPUs of an engine on its node; empty: all of them."""
    return frozenset(json.loads(record.facts_json)["gpu_indices"])


def covers(gpus: Collection[int], wanted: Collection[int]) -> bool:
    """Whether an engine with these GPUs (none: all) runs what needs those."""
    return not gpus or set(wanted) <= set(gpus)


def engine_message(record: EngineRecord) -> engine_service_pb2.Engine:
    """An engine."""
    live = engine_service_pb2.Engine.STATE_LIVE if record.live else engine_service_pb2.Engine.STATE_LOST
    return engine_service_pb2.Engine(
        name=engine_name(record.fleet, record.id),
        node=record.node,
        **json.loads(record.facts_json),
        state=live,
        create_time=timestamp(record.create_us),
        update_time=timestamp(record.seen_us),
        lease_expire_time=timestamp(record.seen_us + record.lease_us),
        instances=[engine_service_pb2.InstanceStatus(**one) for one in json.loads(record.instances_json)],
    )


def assignment_message(view: RolloutView | None, record: EngineRecord) -> engine_service_pb2.Assignment:
    """What an engine is to run, and do."""
    message = engine_service_pb2.Assignment(
        engine=engine_name(record.fleet, record.id),
        rollout_state=None if view is None else f"STATE_{view.record.state.name}",
    )
    if view is not None:
        gpus, node = engine_gpus(record), record.node
        message.plan = plan_name(view.record.plan_id)
        message.generation = view.record.generation
        seats = {seat.id: seat for seat in view.seats.get(node, ()) if covers(gpus, seat.gpus_on(node))}
        addresses = {engine.node: json.loads(engine.facts_json)["address"] for engine in view.engines}
        for seat in seats.values():
            desired = view.progress.desired(seat)
            if desired != "absent":
                message.instances.append(_assigned(seat, node, desired, addresses))
        for step in view.to_do.get(node, ()):
            if step.instance in seats:
                message.steps.add(
                    step=step_message(dataclasses.asdict(step), seats[step.instance].instance.name),
                    instance_id=step.instance,
                    started=node in view.progress.by_step.get(step.index, {}),
                )
    message.resume_token = hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()[:32]
    return message


def _assigned(
    seat: Seat, node: str, desired: str, addresses: dict[str, str]
) -> engine_service_pb2.AssignedInstance:
    message = engine_service_pb2.AssignedInstance(
        instance_id=seat.id,
        desired=f"DESIRED_{desired.upper()}",
        instance=instance_message(dataclasses.asdict(seat.instance), ()),
        node=node,
        gpu_indices=seat.gpus_on(node),
        node_addresses={name: address for name in seat.nodes if (address := addresses.get(name))},
    )
    for part in seat.launches:
        if part.node == node:
            message.launch.CopyFrom(
                plan_pb2.Launch(node=node, command=part.command, environment=part.environment)
            )
    return message


def rollout_message(view: RolloutView, engines: Iterable[EngineRecord]) -> rollout_pb2.Rollout:
    """A rollout with all its steps; `engines` of the fleet as they are now."""
    record, progress = view.record, view.progress
    message = rollout_pb2.Rollout(
        name=rollout_name(record.fleet, record.generation),
        generation=record.generation,
        plan=plan_name(record.plan_id),
        state=f"STATE_{record.state.name}",
        reason=record.reason,
        sequence=record.sequence,
        create_time=timestamp(record.create_us),
        update_time=timestamp(record.update_us),
        end_time=None if record.end_us is None else timestamp(record.end_us),
        waiting_nodes=waiting_nodes(view, engines),
        assumptions=progress.body.assumptions,
    )
    names = {seat.id: seat.instance.name for seat in progress.body.seats}
    for step, state in zip(progress.body.steps, progress.states, strict=True):
        said = progress.by_step.get(step.index, {}).values()
        one = message.steps.add(
            step=step_message(dataclasses.asdict(step), names.get(step.instance, "")),
            instance_id=step.instance,
            state=f"STATE_{state.upper()}",
            reason=_reason(said),
        )
        if said:
            one.start_time.CopyFrom(timestamp(min(ack.start_us for ack in said)))
        ends = [ack.end_us for ack in said if ack.end_us is not None]
        if state in ("done", "failed") and ends:
            one.end_time.CopyFrom(timestamp(max(ends)))
    return message


def waiting_nodes(view: RolloutView, engines: Iterable[EngineRecord]) -> list[str]:
    """Nodes with steps to do that no live engine will do."""
    live: dict[str, list[frozenset[int]]] = {}
    for engine in engines:
        if engine.live:
            live.setdefault(engine.node, []).append(engine_gpus(engine))
    waiting = set()
    for node, steps in view.to_do.items():
        for step in steps:
            wanted = [gpu for stage in step.stages if stage.node == node for gpu in stage.gpus]
            if node in step_nodes(step) and not any(covers(gpus, wanted) for gpus in live.get(node, ())):
                waiting.add(node)
    return sorted(waiting)


def _reason(said: Collection[Acknowledgement]) -> str:
    """Why it failed, before whatever else was said."""
    failed = [ack.reason for ack in said if ack.outcome == "failed"]
    return next((reason for reason in (*failed, *(ack.reason for ack in said)) if reason), "")
