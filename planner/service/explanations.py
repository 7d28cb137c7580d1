"""Explanations of plans as messages of the API, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.service.protos import plan_pb2, planning_service_pb2

if TYPE_CHECKING:
    from planner.explain.explanation import ConsideredShape, Explanation

__all__ = ["explanation_message", "explanation_of"]

_SAME = ("cut", "pool", "max_num_batched_tokens", "price_per_thousand", "limit", "dominated")
_Role = plan_pb2.Instance.Role


def explanation_message(made: dict[str, Any]) -> planning_service_pb2.PlanExplanation:
    """An `Explanation` as `dataclasses.asdict` and JSON have it."""
    return planning_service_pb2.PlanExplanation(
        workloads=[
            planning_service_pb2.WorkloadExplanation(
                workload=workload["workload"],
                sentences=workload["sentences"],
                shapes=map(_shape_message, workload["shapes"]),
            )
            for workload in made["workloads"]
        ],
        alternatives=made["alternatives"],
        resharding=made["resharding"],
        node_worths=[
            planning_service_pb2.NodeWorth(pool=pool, description=worth)
            for pool, worth in made["node_worths"]
        ],
        ruled_out=made["ruled_out"],
        incomplete=made["incomplete"],
    )


def explanation_of(message: planning_service_pb2.PlanExplanation) -> Explanation:
    """The explanation in a message."""
    from planner.explain.explanation import Explanation, WhyWorkload  # the planner, which a server needs not

    return Explanation(
        workloads=tuple(
            WhyWorkload(
                workload=workload.workload,
                shapes=tuple(map(_shape_of, workload.shapes)),
                sentences=tuple(workload.sentences),
            )
            for workload in message.workloads
        ),
        alternatives=tuple(message.alternatives),
        resharding=tuple(message.resharding),
        node_worths=tuple((worth.pool, worth.description) for worth in message.node_worths),
        ruled_out=message.ruled_out,
        incomplete=message.incomplete,
    )


def _shape_message(shape: dict[str, Any]) -> planning_service_pb2.ShapeExplanation:
    return planning_service_pb2.ShapeExplanation(
        chosen_count=shape["chosen"],
        role=f"ROLE_{shape['role'].upper()}",
        gpu_count=shape["gpus"],
        capacity_per_second=shape["capacity_per_s"],
        ttft_ms=shape["ttft_ms"],
        tpot_ms=shape["tpot_ms"],
        **{name: shape[name] for name in _SAME},
    )


def _shape_of(shape: planning_service_pb2.ShapeExplanation) -> ConsideredShape:
    from planner.explain.explanation import ConsideredShape

    role: Any = _Role.Name(shape.role).removeprefix("ROLE_").lower()
    same: dict[str, Any] = {name: getattr(shape, name) for name in _SAME}
    return ConsideredShape(
        chosen=shape.chosen_count,
        role=role,
        gpus=shape.gpu_count,
        capacity_per_s=shape.capacity_per_second,
        ttft_ms=shape.ttft_ms if shape.HasField("ttft_ms") else None,
        tpot_ms=shape.tpot_ms if shape.HasField("tpot_ms") else None,
        **same,
    )
