"""`fulcrum.v1.AssignmentService`."""
# ruff: noqa: N802 - the names of the RPCs

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from planner.service.backend import AssignmentWork, ProgressEvent
from planner.service.create_request import PlanLimits, check_document, check_work, time_limit_of
from planner.service.errors import invalid_argument
from planner.service.executor import Executor
from planner.service.identity import current_tenant
from planner.service.parts import duration
from planner.service.protos import assignment_service_pb2, assignment_service_pb2_grpc
from planner.service.streamed import StreamedWork, time_to_work_s

__all__ = ["AssignmentService"]

_Context = grpc.aio.ServicerContext[Any, Any]
_Response = assignment_service_pb2.SolveAssignmentResponse
_Answer = assignment_service_pb2.AssignmentAnswer


class AssignmentService(assignment_service_pb2_grpc.AssignmentServiceServicer):
    """Has problems solved by the executor, and streams what comes of it; nothing is stored.

    Parameters
    ----------
    default_time_limit_s
        For problems that state none.
    """

    def __init__(
        self, executor: Executor, streamed: StreamedWork, limits: PlanLimits, *, default_time_limit_s: float
    ) -> None:
        self._executor = executor
        self._streamed = streamed
        self._limits = limits
        self._default_time_limit_s = default_time_limit_s

    async def SolveAssignment(
        self, request: assignment_service_pb2.SolveAssignmentRequest, context: _Context
    ) -> AsyncIterator[_Response]:
        """Check the problem, have it solved, and stop that when the caller goes."""
        check_document(request.document, self._limits, "an assignment problem")
        work = _work(request, self._limits)
        await self._executor.check_assignment(current_tenant(), work["document"], work["solver"])
        if request.validate_only:
            return
        own_s = work.pop("time_limit_s") or self._default_time_limit_s

        def begin() -> AssignmentWork:
            return AssignmentWork(**work, time_limit_s=min(own_s, time_to_work_s(context.time_remaining())))

        async with contextlib.aclosing(self._streamed.stream("assignment", begin)) as events:
            async for event in events:
                if isinstance(event, ProgressEvent):
                    yield _Response(progress=_progress(event))
                else:
                    answer = _Answer(state=f"STATE_{event.state.upper()}", json=event.answer_json)
                    yield _Response(answer=answer)


def _work(request: assignment_service_pb2.SolveAssignmentRequest, limits: PlanLimits) -> dict[str, Any]:
    """Fields of the `AssignmentWork` asked for; ``time_limit_s`` is None where it is unset."""
    options = request.options
    check_work(options, limits)
    gap = options.relative_gap if options.HasField("relative_gap") else 1e-6
    if not (math.isfinite(gap) and 0 <= gap <= 1):
        raise invalid_argument("options.relative_gap", f"{gap:g} is not between 0 and 1")
    return {
        "document": request.document,
        "time_limit_s": time_limit_of(options, limits),
        "seed": options.seed,
        "thread_count": options.thread_count or 1,
        "solver": options.solver or "auto",
        "gap": gap,
        "prices": options.prices,
    }


def _progress(event: ProgressEvent) -> assignment_service_pb2.AssignmentProgress:
    return assignment_service_pb2.AssignmentProgress(
        phase=event.phase,
        elapsed=duration(event.elapsed_s),
        tier=event.tier,
        objective=event.objective,
        bound=event.bound,
        relative_gap=event.gap,
    )
