"""`fulcrum.v1.AssignmentService`."""
# ruff: noqa: N802 - the names of the RPCs

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc.aio

from planner.service.backend import AssignmentOutcome, AssignmentWork, ProgressEvent
from planner.service.create_request import PlanLimits, check_document, check_work, time_limit_of
from planner.service.errors import failure, invalid_argument, quota_exceeded
from planner.service.executor import Executor
from planner.service.identity import current_tenant
from planner.service.metrics import Metrics
from planner.service.parts import duration
from planner.service.protos import assignment_service_pb2, assignment_service_pb2_grpc, code_pb2

__all__ = ["AssignmentService"]

_Context = grpc.aio.ServicerContext[Any, Any]
_Response = assignment_service_pb2.SolveAssignmentResponse
_Answer = assignment_service_pb2.AssignmentAnswer
_RETURN_S, _RETURN_SHARE = 0.5, 0.1
"""Of the time a call has left, what is kept to return the answer: the larger of the two."""


class AssignmentService(assignment_service_pb2_grpc.AssignmentServiceServicer):
    """Has problems solved by the executor, and streams what comes of it; nothing is stored.

    Parameters
    ----------
    default_time_limit_s
        For problems that state none.
    metrics
        Told of every problem that ended.
    """

    def __init__(
        self, executor: Executor, limits: PlanLimits, *, default_time_limit_s: float, metrics: Metrics
    ) -> None:
        self._executor = executor
        self._limits = limits
        self._default_time_limit_s = default_time_limit_s
        self._metrics = metrics
        self._count_by_tenant: Counter[str] = Counter()
        self._solving: set[asyncio.Task[AssignmentOutcome]] = set()

    async def SolveAssignment(
        self, request: assignment_service_pb2.SolveAssignmentRequest, context: _Context
    ) -> AsyncIterator[_Response]:
        """Check the problem, have it solved, and stop that when the caller goes."""
        check_document(request.document, self._limits, "an assignment problem")
        work = _work(request, self._limits)
        await self._executor.check_assignment(work["document"], work["solver"])
        if request.validate_only:
            return
        own_s = work.pop("time_limit_s") or self._default_time_limit_s
        events: asyncio.Queue[ProgressEvent | None] = asyncio.Queue()
        cancelled = asyncio.Event()

        def begin() -> AssignmentWork:
            return AssignmentWork(**work, time_limit_s=min(own_s, _time_to_solve_s(context.time_remaining())))

        solving = self._start(begin, events, cancelled)
        try:
            yield _Response(progress=_progress(ProgressEvent(phase="waiting", elapsed_s=0.0)))
            while (event := await events.get()) is not None:
                yield _Response(progress=_progress(event))
            outcome = await solving
        finally:
            cancelled.set()  # where it has not ended, nobody waits for it any more
        if outcome.answer_json is None:
            raise failure(code_pb2.CANCELLED, "CANCELLED", "stopped before there was an answer")
        yield _Response(answer=_Answer(state=f"STATE_{outcome.state.upper()}", json=outcome.answer_json))

    async def close(self) -> None:
        """Stop what is still being solved."""
        solving = list(self._solving)
        for task in solving:
            task.cancel()
        await asyncio.gather(*solving, return_exceptions=True)

    def _start(
        self,
        begin: Callable[[], AssignmentWork],
        events: asyncio.Queue[ProgressEvent | None],
        cancelled: asyncio.Event,
    ) -> asyncio.Task[AssignmentOutcome]:
        """Solve in a task of its own, which outlives the call until the worker has stopped."""
        tenant = current_tenant()
        if self._count_by_tenant[tenant] >= self._limits.solve_count:
            raise quota_exceeded(
                tenant,
                f"has {self._limits.solve_count} unfinished problems, this server's limit for a tenant",
            )
        self._count_by_tenant[tenant] += 1
        task = asyncio.create_task(self._solve(begin, events, cancelled), name="assignment")
        self._solving.add(task)

        def ended(done: asyncio.Task[AssignmentOutcome]) -> None:
            self._solving.discard(done)
            self._count_by_tenant[tenant] -= 1
            if not self._count_by_tenant[tenant]:
                del self._count_by_tenant[tenant]
            if not done.cancelled():
                done.exception()  # the call raises it, if it is still there
            events.put_nowait(None)

        task.add_done_callback(ended)
        return task

    async def _solve(
        self,
        begin: Callable[[], AssignmentWork],
        events: asyncio.Queue[ProgressEvent | None],
        cancelled: asyncio.Event,
    ) -> AssignmentOutcome:
        start_s, state = time.monotonic(), "failed"

        def begin_now() -> AssignmentWork:
            nonlocal start_s
            start_s = time.monotonic()
            return begin()

        try:
            outcome = await self._executor.solve(begin_now, events.put_nowait, cancelled)
            state = outcome.state
            return outcome
        except asyncio.CancelledError:
            state = "cancelled"
            raise
        finally:
            self._metrics.solve_ended("assignment", state, time.monotonic() - start_s)


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


def _time_to_solve_s(remaining_s: float | None) -> float:
    """Seconds of a call's rest that a solver may use; infinite where the call has no deadline."""
    if remaining_s is None:
        return math.inf
    seconds = remaining_s - max(_RETURN_S, _RETURN_SHARE * remaining_s)
    if seconds <= 0:
        raise failure(code_pb2.DEADLINE_EXCEEDED, "NO_TIME_LEFT", "the call waited until its deadline")
    return seconds


def _progress(event: ProgressEvent) -> assignment_service_pb2.AssignmentProgress:
    return assignment_service_pb2.AssignmentProgress(
        phase=event.phase,
        elapsed=duration(event.elapsed_s),
        tier=event.tier,
        objective=event.objective,
        bound=event.bound,
        relative_gap=event.gap,
    )
