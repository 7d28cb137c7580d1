"""The typed fields of a Plan message as a plan: what `planner.service.convert` says, read back.

For clients that have no canonical JSON, because they cleared it or got the message from elsewhere. Durations
are kept to the nanosecond.
"""

from __future__ import annotations

import json
from typing import Any

from models.errors import InvalidInput
from planner.plan import Plan
from planner.service.protos import plan_outcome_pb2, plan_pb2

__all__ = ["plan_of"]


def plan_of(message: plan_pb2.Plan) -> Plan:
    """The plan in a message; its canonical JSON is byte for byte the one the message was made from.

    Raises
    ------
    InvalidInput
        The message holds no plan: it is not finished, failed, or in the basic view.
    """
    if message.state < plan_pb2.Plan.STATE_OPTIMAL or not message.fulcrum_version:
        raise InvalidInput(
            f"{message.name or 'the message'} holds no plan; fetch it in full when it is finished"
        )
    values = {
        "schema": "fulcrum.plan/1",
        "fulcrum_version": message.fulcrum_version,
        "fleet": message.fleet,
        "fleet_digest": message.fleet_digest,
        "seed": message.options.seed,
        "state": _word(plan_pb2.Plan.State.Name(message.state), "STATE_"),
        "cost_per_hour": message.price_per_hour,
        "instances": [_instance(instance) for instance in message.instances],
        "workloads": [_workload(outcome) for outcome in message.workloads],
        "pools": [_pool(pool) for pool in message.pools],
        "objectives": [
            {
                "stage": tier.stage, "name": tier.name, "value": tier.value,
                "bound": _optional(tier, "bound"), "gap": _optional(tier, "relative_gap"),
            }
            for tier in message.objectives
        ],
        "moves": [
            {
                "action": _word(plan_pb2.Move.Action.Name(move.action), "ACTION_"),
                "instance": move.instance,
                "from_stages": _stages(move.from_stages),
                "to_stages": _stages(move.to_stages),
            }
            for move in message.moves
        ],
        "basis": [{"what": b.what, "basis": b.basis, "source": b.source} for b in message.basis],
        "diagnosis": _diagnosis(message.diagnosis) if message.HasField("diagnosis") else None,
        "schedule": _schedule(message.schedule) if message.HasField("schedule") else None,
        "kv_transfers": [_kv_transfer(transfer) for transfer in message.kv_transfers],
        "notes": list(message.notes),
        "transition": _transition(message.transition) if message.HasField("transition") else None,
        "verification": _verification(message.verification) if message.HasField("verification") else None,
    }  # fmt: skip
    return Plan.from_json(json.dumps(values), source=message.name or None)


def _optional(message: Any, field: str) -> Any:
    return getattr(message, field) if message.HasField(field) else None


def _word(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower()


def _seconds(duration: Any) -> float:
    return float(duration.seconds + duration.nanos / 1e9)


def _stages(stages: Any) -> list[dict[str, Any]]:
    return [{"node": stage.node, "gpus": list(stage.gpu_indices)} for stage in stages]


def _cut(parallelism: plan_pb2.Parallelism) -> dict[str, Any]:
    return {
        "tensor_parallel_size": parallelism.tensor_parallel_size,
        "pipeline_parallel_size": parallelism.pipeline_parallel_size,
        "data_parallel_size": parallelism.data_parallel_size,
        "expert_parallel_size": parallelism.expert_parallel_size,
    }


def _role(role: Any) -> str:
    return _word(plan_pb2.Instance.Role.Name(role), "ROLE_")


def _instance(instance: plan_pb2.Instance) -> dict[str, Any]:
    expectation = instance.expectation
    return {
        "name": instance.name, "workload": instance.workload, "model": instance.model,
        "repository": instance.repository, "role": _role(instance.role), "engine": instance.engine,
        "pool": instance.pool, "gpu": instance.gpu, **_cut(instance.parallelism),
        "weights": instance.weights, "checkpoint": instance.checkpoint, "kv_cache": instance.kv_cache,
        "max_num_seqs": instance.max_num_seqs,
        "max_num_batched_tokens": instance.max_num_batched_tokens,
        "max_model_len": instance.max_model_len,
        "gpu_memory_utilization": instance.gpu_memory_utilization,
        "gpu_parts": instance.gpu_parts,
        "stages": _stages(instance.stages),
        "expected": {
            "rate_per_s": expectation.rate_per_second,
            "capacity_per_s": expectation.capacity_per_second,
            "ttft_ms": _optional(expectation, "ttft_ms"),
            "tpot_ms": _optional(expectation, "tpot_ms"),
            "concurrency": expectation.concurrency,
        },
        "price_per_hour": instance.price_per_hour,
        "adapters": [
            {"name": slot.name, "repository": slot.repository, "rate_per_s": slot.rate_per_second}
            for slot in instance.adapters
        ],
        "adapter_slots": instance.adapter_slot_count,
        "adapter_rank": instance.adapter_rank,
        "basis": expectation.basis,
        **({"drafting": _drafting(instance.drafting)} if instance.HasField("drafting") else {}),
    }  # fmt: skip


def _drafting(drafting: plan_pb2.Drafting) -> dict[str, Any]:
    return {
        "method": drafting.method,
        "tokens": drafting.token_count,
        "tokens_per_step": drafting.tokens_per_step,
        "repository": drafting.repository,
    }


def _workload(outcome: plan_outcome_pb2.WorkloadOutcome) -> dict[str, Any]:
    return {
        "name": outcome.workload,
        "demand_per_s": outcome.demand_per_second,
        "capacity_per_s": outcome.capacity_per_second,
        "surviving_capacity_per_s": outcome.surviving_capacity_per_second,
        "unserved_per_s": outcome.unserved_per_second,
        "ttft_percentile": outcome.ttft_percentile,
        "ttft_target_ms": outcome.ttft_target_ms,
        "ttft_ms": _optional(outcome, "ttft_ms"),
        "tpot_percentile": outcome.tpot_percentile,
        "tpot_target_ms": outcome.tpot_target_ms,
        "tpot_ms": _optional(outcome, "tpot_ms"),
    }


def _pool(pool: plan_outcome_pb2.PoolUse) -> dict[str, Any]:
    return {
        "name": pool.pool, "gpu": pool.gpu, "nodes": pool.node_count, "gpus_per_node": pool.gpus_per_node,
        "gpus_used": pool.used_gpu_count, "gpu_parts": pool.gpu_parts, "cost_per_hour": pool.price_per_hour,
    }  # fmt: skip


def _diagnosis(diagnosis: plan_pb2.Diagnosis) -> dict[str, Any]:
    return {
        "limit": diagnosis.limit, "subject": diagnosis.subject, "message": diagnosis.message,
        "closest": diagnosis.closest,
    }  # fmt: skip


def _kv_transfer(transfer: plan_outcome_pb2.KvTransfer) -> dict[str, Any]:
    return {
        "workload": transfer.workload,
        "zone": transfer.zone,
        "bytes_per_s": transfer.bytes_per_second,
        "within_nodes": transfer.within_nodes_share,
        "within_racks": transfer.within_racks_share,
        "farthest": _word(plan_outcome_pb2.KvTransfer.Distance.Name(transfer.farthest), "DISTANCE_"),
        "fullest_link": _optional(transfer, "fullest_link"),
        "fullest_share": _optional(transfer, "fullest_share"),
    }


def _schedule(schedule: plan_pb2.Schedule) -> dict[str, Any]:
    return {
        "period_length_s": _seconds(schedule.period_duration),
        "cost": schedule.price,
        "bound": _optional(schedule, "bound"),
        "gap": _optional(schedule, "relative_gap"),
        "periods": [_period(period) for period in schedule.periods],
    }


def _period(period: plan_pb2.PeriodPlan) -> dict[str, Any]:
    return {
        "period": period.period,
        "placed": period.placed,
        "cost_per_hour": period.price_per_hour,
        "gpus_used": period.used_gpu_count,
        "unserved_share": period.unserved_share,
        "counts": [
            {
                "workload": count.workload, "role": _role(count.role), "pool": count.pool,
                **_cut(count.parallelism), "instances": count.instance_count, "change": count.change,
            }
            for count in period.instance_counts
        ],
        "ratios": [
            {
                "workload": ratio.workload, "prefill": ratio.prefill_count, "decode": ratio.decode_count,
                "prefill_gpus": ratio.prefill_gpu_count, "decode_gpus": ratio.decode_gpu_count,
            }
            for ratio in period.role_ratios
        ],
        "changes": [
            {
                "kind": _word(plan_pb2.PeriodChange.Kind.Name(change.kind), "KIND_"),
                "model": change.model,
                "pool": change.pool,
                "before": list(change.before),
                "after": list(change.after),
                "cost": change.price,
                "saves_per_hour": _optional(change, "saves_per_hour"),
                "payback_s": _seconds(change.payback_duration)
                if change.HasField("payback_duration")
                else None,
            }
            for change in period.changes
        ],
    }  # fmt: skip


def _transition(transition: plan_pb2.Transition) -> dict[str, Any]:
    blocked = {
        "workload": transition.blocked_workload,
        "reason": transition.blocked_reason,
        "proven": transition.blocked_proven,
    }
    return {
        "steps": [
            {
                "index": step.index,
                "kind": _word(plan_pb2.TransitionStep.Kind.Name(step.kind), "KIND_"),
                "instance": step.instance,
                "workload": step.workload,
                "stages": _stages(step.stages),
                "start_s": _seconds(step.start_offset),
                "end_s": _seconds(step.end_offset),
                "after": list(step.after),
                "side": _word(plan_pb2.TransitionStep.Side.Name(step.side), "SIDE_"),
                "surge": step.surge,
            }
            for step in transition.steps
        ],
        "duration_s": _seconds(transition.duration),
        "lowest_per_s": {
            floor.workload: floor.lowest_per_second
            for floor in transition.floors
            if floor.HasField("lowest_per_second")
        },
        "floors_per_s": {floor.workload: floor.floor_per_second for floor in transition.floors},
        "rollback": [
            {
                "after_step": point.after_step, "restarts": point.restart_count,
                "reload_s": _seconds(point.reload_duration),
            }
            for point in transition.rollback_points
        ],
        "blocked": blocked if transition.blocked_workload else None,
        "assumptions": list(transition.assumptions),
    }  # fmt: skip


def _verification(verification: plan_pb2.Verification) -> dict[str, Any]:
    return {
        "seed": verification.seed,
        "arrivals": verification.arrivals,
        "corrections": list(verification.corrections),
        "replays": [
            {
                "workload": replay.workload, "load": replay.load, "rate_per_s": replay.rate_per_second,
                "requests": replay.request_count, "ttft": _spread(replay.ttft),
                "tpot": _spread(replay.tpot) if replay.HasField("tpot") else None,
                "attainment": replay.attainment, "met": replay.met,
            }
            for replay in verification.replays
        ],
        "met": verification.met,
    }  # fmt: skip


def _spread(spread: plan_pb2.LatencySpread) -> dict[str, Any]:
    return {
        "p50_ms": spread.p50_ms, "p95_ms": spread.p95_ms, "p99_ms": spread.p99_ms,
        "percentile": spread.percentile, "at_percentile_ms": spread.at_percentile_ms,
        "target_ms": spread.target_ms, "met": spread.met,
    }  # fmt: skip
