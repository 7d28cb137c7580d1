"""Rows of the store as messages of the API."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import any_pb2, timestamp_pb2

from planner.service.launches import LaunchCommand, launch_commands
from planner.service.names import operation_name, plan_name
from planner.service.outcome_parts import (
    kv_transfer_message,
    parallelism_message,
    pool_message,
    schedule_message,
    workload_message,
)
from planner.service.parts import (
    duration,
    move_message,
    stage_message,
    transition_message,
    verification_message,
)
from planner.service.protos import operations_pb2, plan_outcome_pb2, plan_pb2, status_pb2
from planner.store.records import EventRecord, PlanOptionsRecord, PlanRecord, PlanState

__all__ = [
    "STATES",
    "instance_message",
    "operation_message",
    "plan_message",
    "progress_message",
    "timestamp",
    "warm_up",
]

_SAME = (
    "repository", "weights", "checkpoint", "kv_cache", "max_num_seqs", "max_num_batched_tokens",
    "max_model_len", "gpu_memory_utilization",
)  # fmt: skip
"""Fields of an instance that have one name here and there."""

STATES: dict[PlanState, Any] = {
    state: plan_pb2.Plan.State.Value(f"STATE_{state.name}") for state in PlanState
}


def timestamp(time_us: int) -> timestamp_pb2.Timestamp:
    """µs since the epoch as a Timestamp."""
    return timestamp_pb2.Timestamp(seconds=time_us // 1_000_000, nanos=time_us % 1_000_000 * 1000)


def warm_up() -> None:
    """Import and make what the first plan and the first rollout need, which would make their readers wait.

    Everything, and before there are readers: pydantic and a traceback that is being printed both call
    ast.parse, which in two threads at once can fail (see `models.document.adapter`).
    """
    from models.document.adapter import adapter_of
    from planner.export import export_formats, exporter
    from planner.plan.codec import plan_schema
    from planner.rollout import RolloutBody

    plan_schema()
    adapter_of(RolloutBody)
    for name in export_formats():
        exporter(name)


def plan_message(record: PlanRecord, *, full: bool) -> plan_pb2.Plan:
    """The Plan resource; without instances, moves, document and canonical JSON unless `full`."""
    message = plan_pb2.Plan(
        name=plan_name(record.id),
        state=STATES[record.state],
        etag=f"{record.id[:8]}-{record.revision}",
        create_time=timestamp(record.create_us),
        fleet=record.fleet,
        options=_options(record.options),
    )
    if record.start_us is not None:
        message.start_time.CopyFrom(timestamp(record.start_us))
    if record.end_us is not None:
        message.end_time.CopyFrom(timestamp(record.end_us))
    if record.error is not None:
        message.error.MergeFromString(record.error)
    if full:
        message.document = record.document
    if record.result_json is not None:
        message.MergeFrom(_result(record.result_json, full))
    return message


def operation_message(record: PlanRecord, last_event: EventRecord | None) -> Any:
    """The google.longrunning.Operation that makes the plan."""
    operation = operations_pb2.Operation(name=operation_name(record.id), done=record.state.terminal)
    progress = (
        progress_message(last_event) if last_event else plan_pb2.PlanProgress(plan=plan_name(record.id))
    )
    progress.state = STATES[record.state]
    operation.metadata.Pack(progress)
    if record.state is PlanState.FAILED:
        operation.error.CopyFrom(status_pb2.Status.FromString(record.error or b""))
    elif record.state.terminal:
        response = any_pb2.Any()
        response.Pack(plan_message(record, full=True))
        operation.response.CopyFrom(response)
    return operation


def progress_message(event: EventRecord) -> plan_pb2.PlanProgress:
    """One step of progress."""
    return plan_pb2.PlanProgress(
        plan=plan_name(event.plan_id),
        state=STATES[event.state],
        phase=event.phase,
        elapsed=duration(event.elapsed_s),
        objective=event.objective,
        bound=event.bound,
        relative_gap=event.gap,
        sequence=event.sequence,
        update_time=timestamp(event.create_us),
    )


def _options(options: PlanOptionsRecord) -> plan_pb2.PlanOptions:
    message = plan_pb2.PlanOptions(
        seed=options.seed,
        thread_count=options.thread_count,
        skip_verification=options.skip_verification,
    )
    if options.confidence is not None:
        message.confidence = options.confidence
    if options.time_limit_s is not None:
        message.time_limit.CopyFrom(duration(options.time_limit_s))
    if options.deadline_us is not None:
        message.deadline.CopyFrom(timestamp(options.deadline_us))
    return message


@functools.lru_cache(maxsize=16)
def _result(result_json: str, full: bool) -> plan_pb2.Plan:
    """What the canonical JSON says, typed. Cached: a finished plan never changes and is fetched by every
    engine.
    """
    plan = json.loads(result_json)
    message = plan_pb2.Plan(
        price_per_hour=plan["cost_per_hour"],
        objectives=[
            plan_pb2.Objective(
                stage=tier["stage"],
                name=tier["name"],
                value=tier["value"],
                bound=tier["bound"],
                relative_gap=tier["gap"],
            )
            for tier in plan["objectives"]
        ],
    )
    if plan["diagnosis"] is not None:
        message.diagnosis.CopyFrom(plan_pb2.Diagnosis(**plan["diagnosis"]))
        message.ClearField("price_per_hour")
    if full:
        message.MergeFrom(_grounds(plan))
        message.canonical_json = result_json
        commands = launch_commands(result_json) if plan["instances"] else []
        message.instances.extend(instance_message(instance, commands) for instance in plan["instances"])
        message.moves.extend(move_message(move) for move in plan["moves"])
        # absent in plans that an earlier version stored
        if plan.get("transition") is not None:
            message.transition.CopyFrom(transition_message(plan["transition"]))
        if plan.get("verification") is not None:
            message.verification.CopyFrom(verification_message(plan["verification"]))
    return message


def _grounds(plan: Mapping[str, Any]) -> plan_pb2.Plan:
    """What the plan says of itself: whom it serves how well, on what, when, and why to believe it.

    Plans that an earlier version stored lack some of it.
    """
    schedule = plan.get("schedule")
    return plan_pb2.Plan(
        fulcrum_version=plan["fulcrum_version"],
        fleet_digest=plan["fleet_digest"],
        workloads=map(workload_message, plan["workloads"]),
        pools=map(pool_message, plan["pools"]),
        basis=[plan_outcome_pb2.Basis(**basis) for basis in plan["basis"]],
        schedule=None if schedule is None else schedule_message(schedule),
        kv_transfers=map(kv_transfer_message, plan.get("kv_transfers", ())),
        notes=plan.get("notes", ()),
    )


def instance_message(instance: Mapping[str, Any], commands: Sequence[LaunchCommand]) -> plan_pb2.Instance:
    """One instance, from its form in the canonical JSON."""
    expected = instance["expected"]
    return plan_pb2.Instance(
        name=instance["name"],
        workload=instance["workload"],
        model=instance["model"],
        role=f"ROLE_{instance['role'].upper()}",
        pool=instance["pool"],
        gpu=instance["gpu"],
        engine=instance["engine"],
        parallelism=parallelism_message(instance),
        stages=[stage_message(stage) for stage in instance["stages"]],
        expectation=plan_pb2.Expectation(
            rate_per_second=expected["rate_per_s"],
            capacity_per_second=expected["capacity_per_s"],
            ttft_ms=expected["ttft_ms"],
            tpot_ms=expected["tpot_ms"],
            concurrency=expected["concurrency"],
            basis=instance["basis"],
        ),
        price_per_hour=instance["price_per_hour"],
        **{name: instance[name] for name in _SAME if name in instance},
        # absent in plans that an earlier version stored
        gpu_parts=instance.get("gpu_parts", 1),
        adapters=[
            plan_pb2.AdapterSlot(
                name=slot["name"], repository=slot["repository"], rate_per_second=slot["rate_per_s"]
            )
            for slot in instance.get("adapters", ())
        ],
        adapter_slot_count=instance.get("adapter_slots", 0),
        adapter_rank=instance.get("adapter_rank", 0),
        drafting=_drafting(instance.get("drafting")),
        launches=[
            plan_pb2.Launch(node=c.node, command=c.command, environment=c.environment)
            for c in commands
            if c.instance == instance["name"]
        ],
    )


def _drafting(drafting: Mapping[str, Any] | None) -> plan_pb2.Drafting | None:
    if drafting is None:
        return None
    return plan_pb2.Drafting(
        method=drafting["method"],
        token_count=drafting["tokens"],
        tokens_per_step=drafting["tokens_per_step"],
        repository=drafting["repository"],
    )
