"""How to plan, as a client says it to a server."""

from __future__ import annotations

from planner.options import PlanOptions
from planner.service.parts import duration
from planner.service.protos import plan_pb2

__all__ = ["options_message"]


def options_message(options: PlanOptions) -> plan_pb2.PlanOptions:
    """The options of a request; what is not said is left to the server."""
    return plan_pb2.PlanOptions(
        seed=options.seed,
        thread_count=options.threads,
        skip_verification=not options.verify,
        confidence=options.confidence,
        time_limit=None if options.time_limit_s is None else duration(options.time_limit_s),
    )
