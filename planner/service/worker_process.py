"""The server's end of one worker process."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from planner.service.backend import (
    AssignmentOutcome,
    AssignmentWork,
    CheckedDocument,
    Outcome,
    ProgressEvent,
    Question,
    Work,
)
from planner.service.errors import StatusError, failure
from planner.service.frames import encode, receive_frame
from planner.service.profile_check import CheckedProfile, ProfileToCheck
from planner.service.protos import code_pb2, status_pb2

__all__ = ["WALL_FACTOR", "WorkerProcess"]

WALL_FACTOR = 6.0
"""How much longer than its processor time a check may take, on a machine that does other work."""


class WorkerProcess:
    """Starts `planner.service.worker` on its leash when first needed, and again after it died or was killed.

    Parameters
    ----------
    backend
        ``module:name`` of the backend it loads.
    memory_bytes
        Limit on its writable memory; None is no limit.
    nice
        How far below its server's priority it runs, 0 to 19: the server must go on answering while every core
        solves.
    start_s, cancel_s
        Seconds it may take to start, and to answer after it was told to cancel, before it is killed.
    """

    def __init__(
        self,
        backend: str,
        *,
        memory_bytes: int | None = None,
        nice: int = 0,
        start_s: float = 60.0,
        cancel_s: float = 10.0,
    ) -> None:
        self._command = [sys.executable, "-m", "planner.service.leash", str(os.getpid()), backend]
        if nice:
            self._command += ["--nice", str(nice)]
        if memory_bytes is not None:
            self._command += ["--memory-bytes", str(memory_bytes)]
        self._start_s = start_s
        self._cancel_s = cancel_s
        self._process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()
        self.start_count = 0
        """How often a process was started; all but the first are restarts."""

    @property
    def process_id(self) -> int | None:
        """Of the running process, or None."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    @property
    def ready(self) -> bool:
        """Whether a process runs and has loaded the backend."""
        return self.process_id is not None and not self._starting.locked()

    async def start(self) -> None:
        """Start the process if none runs, and wait until it has loaded the backend."""
        async with self._starting:
            if self.process_id is None:
                await self._start()

    async def _start(self) -> None:
        self.start_count += 1
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(self._start_s):
                first = await self._receive()
        except TimeoutError:
            first = None
        except asyncio.CancelledError:
            await self.kill()
            raise
        if first != {"ready": True}:
            await self.kill()
            raise failure(
                code_pb2.UNAVAILABLE, "WORKER_NOT_STARTED", "a worker process did not start; see the log"
            )

    async def check(
        self, document: str, current_json: str | None, profiles: Mapping[str, str], limit_s: float
    ) -> CheckedDocument:
        """What is in `document`, read with these profiles: name → folder.

        Raises
        ------
        StatusError
            INVALID_ARGUMENT: a bad document, or one that takes a processor longer than `limit_s` to read.
            UNAVAILABLE: the process died.
        """
        request = {
            "do": "check", "document": document, "current_json": current_json, "profiles": dict(profiles)
        }  # fmt: skip
        found = await self._check(request, limit_s)
        return CheckedDocument(fleet=found["fleet"], gpus=tuple(found["gpus"]))

    async def check_profile(self, profile: ProfileToCheck, limit_s: float) -> CheckedProfile:
        """Read an upload for the first time; StatusError as `check`."""
        request = {"do": "check_profile", "profile": asdict(profile)}
        return CheckedProfile(**(await self._check(request, limit_s))["checked"])

    async def check_assignment(self, document: str, solver: str, limit_s: float) -> None:
        """Raise StatusError for a bad problem, as `check` for a bad fleet."""
        await self._check({"do": "check_assignment", "document": document, "solver": solver}, limit_s)

    async def _check(self, request: dict[str, Any], limit_s: float) -> dict[str, Any]:
        await self.start()
        too_complex = failure(
            code_pb2.INVALID_ARGUMENT,
            "DOCUMENT_TOO_COMPLEX",
            f"reading the document takes over {limit_s:g} s of a processor",
        )
        try:
            async with asyncio.timeout(limit_s * WALL_FACTOR):
                await self._send({**request, "processor_s": limit_s})
                answer = await self._receive()
        except TimeoutError:
            await self.kill()
            raise too_complex from None
        except asyncio.CancelledError:
            await self.kill()
            raise
        if answer is None and self._process is not None and await self._process.wait() == -signal.SIGPROF:
            self._process = None
            raise too_complex
        return await self._unwrap(answer, died=code_pb2.UNAVAILABLE)

    async def plan(
        self,
        work: Work,
        on_progress: Callable[[ProgressEvent], None],
        cancelled: asyncio.Event,
        kill_after_s: float | None,
    ) -> Outcome:
        """Make a plan.

        Parameters
        ----------
        cancelled
            When set, the worker is told; it answers with its best, or is killed and the outcome has no plan.
        kill_after_s
            When to give up on a worker that does not keep its time limit.

        Raises
        ------
        StatusError
            The document is bad, the planner failed, or the process died or was killed for its time.
        """
        made = await self._make(
            "plan", work, on_progress, cancelled, kill_after_s=kill_after_s, died=code_pb2.INTERNAL
        )
        return Outcome(state="cancelled", plan_json=None) if made is None else Outcome(**made)

    async def solve(
        self,
        work: AssignmentWork | Question,
        on_progress: Callable[[ProgressEvent], None],
        cancelled: asyncio.Event,
        kill_after_s: float | None,
    ) -> AssignmentOutcome:
        """Solve a problem, or answer a question; as `plan`, but UNAVAILABLE where the process died."""
        what = "solve" if isinstance(work, AssignmentWork) else "ask"
        made = await self._make(
            what, work, on_progress, cancelled, kill_after_s=kill_after_s, died=code_pb2.UNAVAILABLE
        )
        if made is None:
            return AssignmentOutcome(state="cancelled", answer_json=None)
        return AssignmentOutcome(**made)

    async def _make(
        self,
        what: str,
        work: Work | AssignmentWork | Question,
        on_progress: Callable[[ProgressEvent], None],
        cancelled: asyncio.Event,
        *,
        kill_after_s: float | None,
        died: int,
    ) -> dict[str, Any] | None:
        """The outcome; None when it was cancelled and did not answer in time. `died` is a code, as in
        `_unwrap`.
        """
        await self.start()
        answering = asyncio.create_task(self._answer({"do": what, "work": asdict(work)}, on_progress))
        cancelling = asyncio.create_task(cancelled.wait())
        try:
            await asyncio.wait(
                {answering, cancelling}, timeout=kill_after_s, return_when=asyncio.FIRST_COMPLETED
            )
            if not answering.done() and cancelling.done():
                self._tell({"do": "cancel"})
                await asyncio.wait({answering}, timeout=self._cancel_s)
            if answering.done():
                outcome: dict[str, Any] = (await self._unwrap(answering.result(), died=died))["outcome"]
                return outcome
            await self.kill()
            if cancelling.done():
                return None
            message = f"the worker did not stop at its time limit and was killed after {kill_after_s:g} s"
            raise failure(code_pb2.INTERNAL, "WORKER_OVERRAN", message)
        finally:
            cancelling.cancel()
            if not answering.done():
                answering.cancel()
                await self.kill()

    async def kill(self) -> None:
        """End the process at once."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()

        assert process.stdin is not None
        process.stdin.close()
        await process.wait()

    async def _answer(
        self, request: dict[str, Any], on_progress: Callable[[ProgressEvent], None]
    ) -> dict[str, Any] | None:
        await self._send(request)
        while (message := await self._receive()) is not None and "progress" in message:
            on_progress(ProgressEvent(**message["progress"]))
        return message

    def _tell(self, message: dict[str, Any]) -> None:
        """Send without waiting for it to be read: a process may be deaf."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(encode(message))

    async def _send(self, message: dict[str, Any]) -> None:
        self._tell(message)
        assert self._process is not None
        assert self._process.stdin is not None
        stdin = self._process.stdin
        try:
            await stdin.drain()
        except ConnectionError:  # it died: reading its answer says so
            # CPython before 3.11.4 logs the same error once more where nobody asks for it here.
            with contextlib.suppress(ConnectionError):
                await stdin.wait_closed()

    async def _receive(self) -> dict[str, Any] | None:
        """The next message; None where the process ended, or was killed."""
        if self._process is None:
            return None
        assert self._process.stdout is not None
        return await receive_frame(self._process.stdout)

    async def _unwrap(self, answer: dict[str, Any] | None, *, died: int) -> dict[str, Any]:
        """The answer, if it is no refusal; `died` is the code where there is none.

        UNAVAILABLE has the caller ask again: right where nothing is kept of the question.
        """
        if answer is None:
            process, self._process = self._process, None
            code = -signal.SIGKILL if process is None else await process.wait()  # none: killed by `kill`
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise failure(died, "WORKER_DIED", f"the worker process ended with {how}; see the log")
        if "error" in answer:
            raise StatusError(status_pb2.Status.FromString(base64.b64decode(answer["error"])))
        return answer
