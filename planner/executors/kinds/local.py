"""Worker processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Self, TypeVar

from models.errors import InvalidInput
from planner.executors.book import Book
from planner.executors.parcel import pack, unpack
from planner.executors.task import Limits, Outcome, TaskEvent, TaskFunction
from planner.executors.worker import run_tasks

__all__ = ["LocalExecutor", "start"]

R = TypeVar("R")

POLL_S = 0.1
"""How often time limits and the wish to stop are looked at."""


def start(argument: str | None) -> LocalExecutor:
    """As many processes as the argument says; without one, as this process may use cores."""
    if argument is None:
        return LocalExecutor(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    if not argument.isdecimal() or not 1 <= int(argument) <= 1024:
        raise InvalidInput(
            f"local takes a number of processes from 1 to 1024, such as local:4; got {argument!r}"
        )
    return LocalExecutor(int(argument))


class _Worker:
    """A process, and the task it has."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=run_tasks, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.task: int | None = None
        self.began_s: float | None = None
        self.stop_s: float | None = None

    def give(self, index: int, parcel: bytes, limits: Limits) -> None:
        """Hand over a task; a worker that has died is noticed when it is listened to."""
        self.task, self.began_s, self.stop_s = index, None, None
        self.tell(("run", parcel, limits.memory_bytes))

    def stop(self) -> None:
        """Ask the task to return what it has."""
        self.stop_s = time.monotonic()
        self.tell(("cancel",))

    def tell(self, message: tuple[Any, ...]) -> None:
        """Send a message, into the void where the worker has died."""
        try:
            self.connection.send(message)
        except OSError:
            return

    def kill(self) -> str:
        """End the process and say how it ended."""
        self.process.kill()
        self.process.join()
        self.connection.close()
        code = self.process.exitcode or 0
        return f"signal {-code}" if code < 0 else f"exit code {code}"


class LocalExecutor:
    """See `planner.executors.Executor`; a process is started when it is needed and kept for the next map."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._workers: list[_Worker] = []

    def map(
        self,
        function: TaskFunction[R],
        inputs: Sequence[Any],
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        on_event: Callable[[TaskEvent], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[Outcome[R]]:
        """See `planner.executors.Executor`."""
        parcels = [pack((function, given)) for given in inputs]
        book: Book[R] = Book(len(parcels), limits, on_event)
        try:
            while not book.is_over:
                if not book.is_stopped and cancelled is not None and cancelled():
                    book.stop()
                    for worker in self._busy:
                        worker.stop()
                self._hand_out(parcels, book)
                busy = {worker.connection: worker for worker in self._busy}
                for ready in wait(list(busy), POLL_S):
                    assert isinstance(ready, Connection)
                    self._listen(busy[ready], book)
                self._enforce(book)
        finally:  # an event handler that raises, Ctrl-C: nothing may go on behind the caller's back
            for worker in self._busy:
                self._drop(worker)
        return book.outcomes

    @property
    def _busy(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.task is not None]

    def _hand_out(self, parcels: Sequence[bytes], book: Book[R]) -> None:
        while book.has_waiting and len(self._busy) < self.slots:
            idle = next((worker for worker in self._workers if worker.task is None), None)
            if idle is None:
                idle = _Worker()
                self._workers.append(idle)
            index = book.take()
            idle.give(index, parcels[index], book.limits)

    def _listen(self, worker: _Worker, book: Book[R]) -> None:
        """Take one message of a worker; its death is one too."""
        assert worker.task is not None
        index, where = worker.task, str(worker.process.pid)
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            book.lost(index, self._drop(worker), where)
            return
        if message[0] == "started":
            worker.began_s = time.monotonic()
            book.tell(TaskEvent(index=index, kind="started", where=where))
        elif message[0] == "reported":
            book.tell(TaskEvent(index=index, kind="reported", where=where, report=unpack(message[1])))
        else:
            worker.task = None
            book.answered(index, message, where)

    def _enforce(self, book: Book[R]) -> None:
        now = time.monotonic()
        for worker in self._busy:
            assert worker.task is not None
            index, where = worker.task, str(worker.process.pid)
            limit_s = book.limits.time_s
            if worker.stop_s is not None and now - worker.stop_s > book.limits.cancel_s:
                self._drop(worker)
                book.end(
                    index, Outcome(state="cancelled", message="it was cancelled, and did not stop"), where
                )
            elif limit_s is not None and worker.began_s is not None and now - worker.began_s > limit_s:
                self._drop(worker)
                book.end(
                    index, Outcome(state="timed_out", message=f"it was killed after {limit_s:g} s"), where
                )

    def _drop(self, worker: _Worker) -> str:
        self._workers.remove(worker)
        return worker.kill()

    def close(self) -> None:
        """See `planner.executors.Executor`."""
        while self._workers:
            self._drop(self._workers[-1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
