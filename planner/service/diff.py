"""Two plans compared."""

from __future__ import annotations

from planner.service.parts import move_message
from planner.service.protos import planning_service_pb2

__all__ = ["diff_message"]


def diff_message(base_json: str, target_json: str) -> planning_service_pb2.DiffPlansResponse:
    """What changes from one plan to another, both in canonical JSON."""
    import dataclasses

    from planner.plan import Plan
    from planner.plan.moves import moves_between

    base, target = Plan.from_json(base_json), Plan.from_json(target_json)
    moves = moves_between(base.instances, target.instances)
    touched = {move.instance for move in moves}
    return planning_service_pb2.DiffPlansResponse(
        moves=[move_message(dataclasses.asdict(move)) for move in moves],
        unchanged_count=sum(instance.name not in touched for instance in target.instances),
        price_per_hour_change=target.cost_per_hour - base.cost_per_hour,
    )
