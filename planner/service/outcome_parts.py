"""What a plan in canonical JSON says of workloads, pools, caches and periods, as messages of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.service.parts import duration
from planner.service.protos import plan_outcome_pb2, plan_pb2

__all__ = [
    "kv_transfer_message",
    "parallelism_message",
    "pool_message",
    "schedule_message",
    "workload_message",
]


def workload_message(outcome: Mapping[str, Any]) -> plan_outcome_pb2.WorkloadOutcome:
    """How well one workload is served."""
    return plan_outcome_pb2.WorkloadOutcome(
        workload=outcome["name"],
        demand_per_second=outcome["demand_per_s"],
        capacity_per_second=outcome["capacity_per_s"],
        surviving_capacity_per_second=outcome["surviving_capacity_per_s"],
        unserved_per_second=outcome["unserved_per_s"],
        ttft_percentile=outcome["ttft_percentile"],
        ttft_target_ms=outcome["ttft_target_ms"],
        ttft_ms=outcome["ttft_ms"],
        tpot_percentile=outcome["tpot_percentile"],
        tpot_target_ms=outcome["tpot_target_ms"],
        tpot_ms=outcome["tpot_ms"],
    )


def pool_message(pool: Mapping[str, Any]) -> plan_outcome_pb2.PoolUse:
    """How much of one pool is used."""
    return plan_outcome_pb2.PoolUse(
        pool=pool["name"],
        gpu=pool["gpu"],
        node_count=pool["nodes"],
        gpus_per_node=pool["gpus_per_node"],
        used_gpu_count=pool["gpus_used"],
        gpu_parts=pool.get("gpu_parts", 1),
        price_per_hour=pool["cost_per_hour"],
    )


def kv_transfer_message(transfer: Mapping[str, Any]) -> plan_outcome_pb2.KvTransfer:
    """The caches of one workload in one zone."""
    return plan_outcome_pb2.KvTransfer(
        workload=transfer["workload"],
        zone=transfer["zone"],
        bytes_per_second=transfer["bytes_per_s"],
        within_nodes_share=transfer["within_nodes"],
        within_racks_share=transfer["within_racks"],
        farthest=f"DISTANCE_{transfer['farthest'].upper()}",
        fullest_link=transfer["fullest_link"],
        fullest_share=transfer["fullest_share"],
    )


def parallelism_message(shape: Mapping[str, Any]) -> plan_pb2.Parallelism:
    """How the model of an instance is cut; plans that an earlier version stored lack some of it."""
    return plan_pb2.Parallelism(
        tensor_parallel_size=shape["tensor_parallel_size"],
        pipeline_parallel_size=shape["pipeline_parallel_size"],
        data_parallel_size=shape.get("data_parallel_size", 1),
        expert_parallel_size=shape.get("expert_parallel_size", 1),
    )


def schedule_message(schedule: Mapping[str, Any]) -> plan_pb2.Schedule:
    """All periods."""
    return plan_pb2.Schedule(
        period_duration=duration(schedule["period_length_s"]),
        price=schedule["cost"],
        bound=schedule["bound"],
        relative_gap=schedule["gap"],
        periods=map(_period, schedule["periods"]),
    )


def _period(period: Mapping[str, Any]) -> plan_pb2.PeriodPlan:
    return plan_pb2.PeriodPlan(
        period=period["period"],
        placed=period["placed"],
        price_per_hour=period["cost_per_hour"],
        used_gpu_count=period["gpus_used"],
        unserved_share=period["unserved_share"],
        instance_counts=[
            plan_pb2.InstanceCount(
                workload=count["workload"],
                role=f"ROLE_{count['role'].upper()}",
                pool=count["pool"],
                parallelism=parallelism_message(count),
                instance_count=count["instances"],
                change=count["change"],
            )
            for count in period["counts"]
        ],
        role_ratios=[
            plan_pb2.RoleRatio(
                workload=ratio["workload"],
                prefill_count=ratio["prefill"],
                decode_count=ratio["decode"],
                prefill_gpu_count=ratio["prefill_gpus"],
                decode_gpu_count=ratio["decode_gpus"],
            )
            for ratio in period.get("ratios", ())
        ],
        changes=map(_change, period.get("changes", ())),
    )


def _change(change: Mapping[str, Any]) -> plan_pb2.PeriodChange:
    payback_s = change.get("payback_s")
    return plan_pb2.PeriodChange(
        kind=f"KIND_{change['kind'].upper()}",
        model=change["model"],
        pool=change["pool"],
        before=change["before"],
        after=change["after"],
        price=change["cost"],
        saves_per_hour=change.get("saves_per_hour"),
        payback_duration=None if payback_s is None else duration(payback_s),
    )
