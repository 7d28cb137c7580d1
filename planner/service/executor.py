"""Where work runs. One protocol; worker processes on this machine are its first member."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

from planner.service.backend import (
    AssignmentOutcome,
    AssignmentWork,
    CheckedDocument,
    Outcome,
    ProgressEvent,
    Question,
    Work,
)
from planner.service.check_lanes import CheckLanes
from planner.service.profile_check import CheckedProfile, ProfileToCheck
from planner.service.worker_process import WorkerProcess

__all__ = ["Executor", "ProcessExecutor"]

_NONE: Mapping[str, str] = {}
_INSPECTOR_BYTES = 2 * 2**30
"""Memory for reading an upload, whatever the other workers may have."""


class Executor(Protocol):
    """Runs checks and plans somewhere else than in the server's own process."""

    slot_count: int
    """How many plans it makes at once."""

    @property
    def restart_count(self) -> int:
        """How often something that works had to be started again since `start`."""
        ...

    async def start(self) -> None:
        """Get ready to work."""

    async def check(
        self, tenant: str, document: str, current_json: str | None, profiles: Mapping[str, str] = _NONE
    ) -> CheckedDocument:
        """What is in a document, read with profiles, name → folder; StatusError when the document is bad."""
        ...

    async def check_profile(self, tenant: str, profile: ProfileToCheck) -> CheckedProfile:
        """Read an upload for the first time; StatusError when it is bad."""
        ...

    async def plan(
        self, work: Work, on_progress: Callable[[ProgressEvent], None], cancelled: asyncio.Event
    ) -> Outcome:
        """Make a plan; StatusError when that fails."""
        ...

    async def check_assignment(self, tenant: str, document: str, solver: str) -> None:
        """Raise StatusError when the problem is bad, or there is no such solver."""
        ...

    async def solve(
        self,
        work: Callable[[], AssignmentWork | Question],
        on_progress: Callable[[ProgressEvent], None],
        cancelled: asyncio.Event,
    ) -> AssignmentOutcome:
        """Solve a problem, or answer a question; StatusError when that fails.

        `work` is called when the waiting is over.
        """
        ...

    async def close(self) -> None:
        """End everything that runs."""


class ProcessExecutor:
    """Worker processes: `slot_count` that plan, and some that only check, so that a full house still answers;
    others that read uploaded profiles, from the first on.

    Parameters
    ----------
    backend
        ``module:name`` of what the workers load.
    memory_bytes
        Limit on each worker's writable memory; None is no limit.
    nice
        How far below the server's priority plans are made; documents are checked at the server's own.
    check_s
        Longest a document may take to be read, in seconds of a processor; six times that by the clock.
    overrun_s
        How long after its time limit a worker is killed. The planner's limit is on solving; reading the
        document, building the graph and simulating come on top.
    """

    def __init__(
        self,
        backend: str = "planner.service.backend:PipelineBackend",
        *,
        slot_count: int = 1,
        memory_bytes: int | None = None,
        nice: int = 10,
        check_s: float = 10.0,
        overrun_s: float = 60.0,
        cancel_s: float = 10.0,
    ) -> None:
        self.slot_count = slot_count
        self._check_s = check_s
        self._overrun_s = overrun_s
        self._planners = [
            WorkerProcess(backend, memory_bytes=memory_bytes, nice=nice, cancel_s=cancel_s)
            for _ in range(slot_count)
        ]
        inspector_bytes = min(memory_bytes or _INSPECTOR_BYTES, _INSPECTOR_BYTES)
        self._checkers = CheckLanes(lambda: WorkerProcess(backend, memory_bytes=memory_bytes))
        self._inspectors = CheckLanes(lambda: WorkerProcess(backend, memory_bytes=inspector_bytes, nice=nice))
        self._idle: asyncio.LifoQueue[WorkerProcess] = asyncio.LifoQueue()
        for worker in self._planners:
            self._idle.put_nowait(worker)

    @property
    def process_ids(self) -> list[int]:
        """Of the planning workers that run."""
        return [pid for worker in self._planners if (pid := worker.process_id) is not None]

    @property
    def restart_count(self) -> int:
        """See `Executor`."""
        planners = sum(max(0, worker.start_count - 1) for worker in self._planners)
        return planners + self._checkers.lost_count + self._inspectors.lost_count

    async def start(self) -> None:
        """Start a checker and one worker; the others start when they are needed."""
        started = await asyncio.gather(
            self._checkers.start(), self._planners[-1].start(), return_exceptions=True
        )  # both, so that where one fails the other is not left behind in mid-start
        for failed in started:
            if failed is not None:
                raise failed

    async def check(
        self, tenant: str, document: str, current_json: str | None, profiles: Mapping[str, str] = _NONE
    ) -> CheckedDocument:
        """See `Executor`."""
        return await self._checkers.ask(
            tenant, lambda worker: worker.check(document, current_json, profiles, self._check_s)
        )

    async def check_profile(self, tenant: str, profile: ProfileToCheck) -> CheckedProfile:
        """See `Executor`. In processes of their own, which it may break."""
        return await self._inspectors.ask(tenant, lambda worker: worker.check_profile(profile, self._check_s))

    async def plan(
        self, work: Work, on_progress: Callable[[ProgressEvent], None], cancelled: asyncio.Event
    ) -> Outcome:
        """See `Executor`. Waits while all workers are busy."""
        async with self._worker() as worker:
            return await worker.plan(work, on_progress, cancelled, self._kill_after_s(work.time_limit_s))

    async def check_assignment(self, tenant: str, document: str, solver: str) -> None:
        """See `Executor`."""
        await self._checkers.ask(
            tenant, lambda worker: worker.check_assignment(document, solver, self._check_s)
        )

    async def solve(
        self,
        work: Callable[[], AssignmentWork | Question],
        on_progress: Callable[[ProgressEvent], None],
        cancelled: asyncio.Event,
    ) -> AssignmentOutcome:
        """See `Executor`."""
        async with self._worker() as worker:
            if cancelled.is_set():
                return AssignmentOutcome(state="cancelled", answer_json=None)
            todo = work()
            return await worker.solve(todo, on_progress, cancelled, self._kill_after_s(todo.time_limit_s))

    def _kill_after_s(self, time_limit_s: float | None) -> float | None:
        return None if time_limit_s is None else time_limit_s + self._overrun_s

    async def close(self) -> None:
        """Kill all workers."""
        await asyncio.gather(
            self._checkers.close(), self._inspectors.close(), *(worker.kill() for worker in self._planners)
        )

    @contextlib.asynccontextmanager
    async def _worker(self) -> AsyncIterator[WorkerProcess]:
        worker = await self._idle.get()
        try:
            yield worker
        finally:
            self._idle.put_nowait(worker)
