"""Parts of the canonical JSON of a plan as messages of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import duration_pb2

from planner.service.protos import plan_pb2

__all__ = [
    "duration",
    "move_message",
    "stage_message",
    "step_message",
    "transition_message",
    "verification_message",
]


def duration(seconds: float) -> duration_pb2.Duration:
    """Seconds as a Duration, to the nanosecond."""
    whole = round(seconds * 1e9)
    return duration_pb2.Duration(seconds=whole // 1_000_000_000, nanos=whole % 1_000_000_000)


def stage_message(stage: Mapping[str, Any]) -> plan_pb2.Stage:
    """One pipeline stage."""
    return plan_pb2.Stage(node=stage["node"], gpu_indices=stage["gpus"])


def move_message(move: Mapping[str, Any]) -> plan_pb2.Move:
    """One change, from its form in the canonical JSON."""
    return plan_pb2.Move(
        action=f"ACTION_{move['action'].upper()}",
        instance=move["instance"],
        from_stages=[stage_message(stage) for stage in move["from_stages"]],
        to_stages=[stage_message(stage) for stage in move["to_stages"]],
    )


def transition_message(transition: Mapping[str, Any]) -> plan_pb2.Transition:
    """The way from the current plan."""
    lowest = transition["lowest_per_s"]
    blocked = transition["blocked"]
    return plan_pb2.Transition(
        steps=[step_message(step) for step in transition["steps"]],
        duration=duration(transition["duration_s"]),
        floors=[
            plan_pb2.CapacityFloor(
                workload=workload, floor_per_second=floor, lowest_per_second=lowest.get(workload)
            )
            for workload, floor in transition["floors_per_s"].items()
        ],
        rollback_points=[
            plan_pb2.RollbackPoint(
                after_step=point["after_step"],
                restart_count=point["restarts"],
                reload_duration=duration(point["reload_s"]),
            )
            for point in transition["rollback"]
        ],
        blocked_reason=blocked["reason"] if blocked is not None else "",
        blocked_workload=blocked["workload"] if blocked is not None else "",
        blocked_proven=blocked is not None and blocked["proven"],
        assumptions=transition["assumptions"],
    )


def step_message(step: Mapping[str, Any], instance: str | None = None) -> plan_pb2.TransitionStep:
    """One step, from its form in the canonical JSON; `instance` stands for the name in it."""
    return plan_pb2.TransitionStep(
        index=step["index"],
        kind=f"KIND_{step['kind'].upper()}",
        instance=step["instance"] if instance is None else instance,
        workload=step["workload"],
        stages=[stage_message(stage) for stage in step["stages"]],
        start_offset=duration(step["start_s"]),
        end_offset=duration(step["end_s"]),
        after=step["after"],
        surge=step["surge"],
        temporary=step["side"] == "temporary",
        side=f"SIDE_{step['side'].upper()}",
    )


def verification_message(verification: Mapping[str, Any]) -> plan_pb2.Verification:
    """What the simulator saw."""
    return plan_pb2.Verification(
        seed=verification["seed"],
        arrivals=verification["arrivals"],
        corrections=verification["corrections"],
        replays=[
            plan_pb2.Replay(
                workload=replayed["workload"],
                load=replayed["load"],
                rate_per_second=replayed["rate_per_s"],
                request_count=replayed["requests"],
                ttft=plan_pb2.LatencySpread(**replayed["ttft"]),
                tpot=plan_pb2.LatencySpread(**replayed["tpot"]) if replayed["tpot"] is not None else None,
                attainment=replayed["attainment"],
                met=replayed["met"],
            )
            for replayed in verification["replays"]
        ],
        met=verification["met"],
    )
