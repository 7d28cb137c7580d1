"""Work that is streamed and not stored: assignment problems, questions about fleets."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable

from planner.service.backend import AssignmentOutcome, AssignmentWork, ProgressEvent, Question
from planner.service.errors import failure, quota_exceeded
from planner.service.executor import Executor
from planner.service.identity import current_tenant
from planner.service.metrics import Metrics
from planner.service.protos import code_pb2

__all__ = ["StreamedWork", "time_to_work_s"]

_RETURN_S, _RETURN_SHARE = 0.5, 0.1
"""Of the time a call has left, what is kept to return the answer: the larger of the two."""
_Begin = Callable[[], AssignmentWork | Question]


class StreamedWork:
    """Has work done by the executor for as long as somebody listens.

    Parameters
    ----------
    most_unfinished
        Of one tenant.
    metrics
        Told of everything that ended.
    """

    def __init__(self, executor: Executor, *, most_unfinished: int, metrics: Metrics) -> None:
        self._executor = executor
        self._most_unfinished = most_unfinished
        self._metrics = metrics
        self._count_by_tenant: Counter[str] = Counter()
        self._running: set[asyncio.Task[AssignmentOutcome]] = set()

    async def stream(
        self, kind: str, begin: _Begin
    ) -> AsyncGenerator[ProgressEvent | AssignmentOutcome, None]:
        """Progress as it comes, first of all the phase ``waiting``; the outcome last.

        Parameters
        ----------
        kind
            For the metrics.
        begin
            Returns the work when a worker takes it.

        Raises
        ------
        StatusError
            The tenant has too much unfinished; the work failed; it was stopped before there was an answer.
        """
        events: asyncio.Queue[ProgressEvent | None] = asyncio.Queue()
        running, give_up = self._start(kind, begin, events)
        try:
            yield ProgressEvent(phase="waiting", elapsed_s=0.0)
            while (event := await events.get()) is not None:
                yield event
            outcome = await running
        finally:
            give_up()  # where it has not ended, nobody waits for it any more
        if outcome.answer_json is None:
            raise failure(code_pb2.CANCELLED, "CANCELLED", "stopped before there was an answer")
        yield outcome

    async def close(self) -> None:
        """Stop what still runs."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _start(
        self,
        kind: str,
        begin: _Begin,
        events: asyncio.Queue[ProgressEvent | None],
    ) -> tuple[asyncio.Task[AssignmentOutcome], Callable[[], None]]:
        """Work in a task of its own, and what ends it.

        What a worker has taken outlives the call until the worker has stopped; what still waits for one ends
        at once, or the tenant could ask for nothing more while others have all the workers.
        """
        tenant = current_tenant()
        if self._count_by_tenant[tenant] >= self._most_unfinished:
            raise quota_exceeded(
                tenant, f"has {self._most_unfinished} unfinished problems, this server's limit for a tenant"
            )
        self._count_by_tenant[tenant] += 1
        cancelled, begun = asyncio.Event(), asyncio.Event()

        def begin_now() -> AssignmentWork | Question:
            begun.set()
            return begin()

        def give_up() -> None:
            cancelled.set()
            if not begun.is_set():
                task.cancel()

        task = asyncio.create_task(self._work(kind, begin_now, events, cancelled), name=kind)
        self._running.add(task)

        def ended(done: asyncio.Task[AssignmentOutcome]) -> None:
            self._running.discard(done)
            self._count_by_tenant[tenant] -= 1
            if not self._count_by_tenant[tenant]:
                del self._count_by_tenant[tenant]
            if not done.cancelled():
                done.exception()  # the call raises it, if it is still there
            events.put_nowait(None)

        task.add_done_callback(ended)
        return task, give_up

    async def _work(
        self,
        kind: str,
        begin: _Begin,
        events: asyncio.Queue[ProgressEvent | None],
        cancelled: asyncio.Event,
    ) -> AssignmentOutcome:
        start_s, state = time.monotonic(), "failed"

        def begin_now() -> AssignmentWork | Question:
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
            self._metrics.solve_ended(kind, state, time.monotonic() - start_s)


def time_to_work_s(remaining_s: float | None) -> float:
    """Seconds of a call's rest that a worker may use; infinite where the call has no deadline."""
    if remaining_s is None:
        return math.inf
    seconds = remaining_s - max(_RETURN_S, _RETURN_SHARE * remaining_s)
    if seconds <= 0:
        raise failure(code_pb2.DEADLINE_EXCEEDED, "NO_TIME_LEFT", "the call waited until its deadline")
    return seconds
