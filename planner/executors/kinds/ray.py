"""A Ray cluster: ``pip install 'fulcrum-planner[ray]'`` here and on every node, in the same version.

Ray finds a place for each task, notices lost workers and nodes, and starts their tasks again. An actor
beside this process, the board, carries reports and the wish to stop: Ray itself can only kill a task.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

from models.errors import InvalidInput, Unavailable
from planner.executors.answer import answer
from planner.executors.book import Book
from planner.executors.parcel import pack, unpack
from planner.executors.task import Context, Limits, Outcome, TaskEvent, TaskFunction
from planner.version import fulcrum_version

__all__ = ["RayExecutor", "start"]

R = TypeVar("R")

POLL_S = 0.1
"""How often the board is read here."""
CONNECT_S = 10.0
"""How long a cluster may take to accept a connection."""
ASK_S = 0.5
"""How often a task asks the board whether it shall stop."""


def start(argument: str | None) -> RayExecutor:
    """Join the cluster at an address; without one, that of RAY_ADDRESS or of this machine, or start one."""
    try:
        import ray
    except ImportError:
        raise Unavailable(
            "the executor ray needs the package ray: pip install 'fulcrum-planner[ray]'"
        ) from None
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    joined = not ray.is_initialized()
    if joined:
        if argument is not None:
            _reach(argument)
        alone = argument is None and "RAY_ADDRESS" not in os.environ
        settings = {"include_dashboard": False} if alone else {}
        try:
            ray.init(address=argument, log_to_driver=False, logging_level="warning", **settings)
        except (ConnectionError, ValueError, RuntimeError) as error:
            why = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise Unavailable(f"no Ray cluster at {argument or 'this machine'}: {why}") from None
    elif argument is not None:
        raise InvalidInput(f"this process has joined a Ray cluster already; it cannot join {argument} too")
    return RayExecutor(leave=joined)


def _reach(address: str) -> None:
    """Raise `Unavailable` where nobody listens: Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():
        raise InvalidInput(f"a Ray cluster is at HOST:PORT or ray://HOST:PORT, not at {address!r}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise Unavailable(f"no Ray cluster at {address}: {error}") from None


Said = tuple[int, int, Literal["started", "reported"], str, bytes | None]
"""Task, attempt, kind of event, node, report."""


class _Board:
    """An actor: what tasks say, until it is read, and whether they shall stop."""

    def __init__(self) -> None:
        self._said: list[Said] = []
        self._stopped = False

    def say(self, said: Said) -> None:
        """Keep an event."""
        self._said.append(said)

    def read(self) -> list[Said]:
        """Return the events since the last time."""
        said, self._said = self._said, []
        return said

    def stop(self) -> None:
        """Tell all tasks to stop."""
        self._stopped = True

    def is_stopped(self) -> bool:
        """Whether tasks shall stop."""
        return self._stopped


def _run(
    index: int, attempt: int, parcel: bytes, memory_bytes: int | None, board: Any, version: str
) -> tuple[Any, ...]:
    """Run a task in a worker of the cluster; see `planner.executors.answer`."""
    import ray

    where = ray.get_runtime_context().get_node_id()
    if version != fulcrum_version():
        wrong = Unavailable(f"node {where} has Fulcrum {fulcrum_version()}, the caller has {version}")
        return "failed", pack(wrong)
    last = board.say.remote((index, attempt, "started", where, None))
    asked_s, stopped = time.monotonic(), False

    def report(value: Any) -> None:
        nonlocal last
        last = board.say.remote((index, attempt, "reported", where, pack(value)))

    def is_cancelled() -> bool:
        nonlocal asked_s, stopped
        if not stopped and time.monotonic() - asked_s >= ASK_S:
            stopped, asked_s = ray.get(board.is_stopped.remote()), time.monotonic()
        return stopped

    found = answer(parcel, memory_bytes, Context(report, is_cancelled))
    ray.get(last)  # so that the end of a task is never heard of before its last report
    return found


class RayExecutor:
    """See `planner.executors.Executor`.

    Parameters
    ----------
    leave
        Whether to leave the cluster (and end it, where this process has started it) when this is closed.
    """

    def __init__(self, *, leave: bool) -> None:
        self._leave = leave

    @property
    def slots(self) -> int:
        """Cores of the cluster as it is now: nodes come and go."""
        import ray

        return max(1, int(ray.cluster_resources().get("CPU", 0)))

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
        import ray

        parcels = [pack((function, given)) for given in inputs]
        flight: _Flight[R] = _Flight(parcels, Book(len(parcels), limits, on_event))
        try:
            while not flight.book.is_over:
                if not flight.book.is_stopped and cancelled is not None and cancelled():
                    flight.stop()
                flight.launch(self.slots)
                flight.land()
        except ray.exceptions.RayActorError as error:
            raise Unavailable(f"the Ray cluster lost the node of this process: {error}") from None
        finally:
            flight.end()
        return flight.book.outcomes

    def close(self) -> None:
        """See `planner.executors.Executor`."""
        import ray

        if self._leave and ray.is_initialized():
            ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Flight(Generic[R]):
    """The tasks of one map that the cluster has."""

    def __init__(self, parcels: Sequence[bytes], book: Book[R]) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.book = book
        self._parcels = parcels
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._board = ray.remote(_Board).options(num_cpus=0, scheduling_strategy=here).remote()
        # Ray would retry by itself, but says neither that it does nor how often it did
        self._remote = ray.remote(_run).options(num_cpus=1, max_retries=0)
        self._tasks: dict[Any, int] = {}
        self._began_s: dict[int, float] = {}
        self._where: dict[int, str] = {}
        self._stopped_s: float | None = None

    def launch(self, slots: int) -> None:
        """Hand the cluster as many tasks as it can run."""
        while self.book.has_waiting and len(self._tasks) < slots:
            index = self.book.take()
            self._began_s.pop(index, None)
            task = self._remote.remote(
                index, self.book.attempts(index), self._parcels[index], self.book.limits.memory_bytes,
                self._board, fulcrum_version(),
            )  # fmt: skip
            self._tasks[task] = index

    def land(self) -> None:
        """Take what ended within a moment, what was said before, and enforce the limits."""
        import ray

        ended: list[Any] = []
        if self._tasks:
            ended, _ = ray.wait(list(self._tasks), num_returns=len(self._tasks), timeout=POLL_S)
        self._listen()
        for task in ended:
            index = self._tasks.pop(task)
            where = self._where.get(index, "")
            try:
                found = ray.get(task)
            except ray.exceptions.RayError as error:
                self.book.lost(index, type(error).__name__, where)
            else:
                self.book.answered(index, found, where)
        self._enforce()

    def stop(self) -> None:
        """Tell the tasks to stop; those that have not begun are taken back."""
        import ray

        self._stopped_s = time.monotonic()
        self.book.stop()
        ray.get(self._board.stop.remote())

    def _listen(self) -> None:
        import ray

        for index, attempt, kind, where, parcel in ray.get(self._board.read.remote()):
            if attempt != self.book.attempts(index) or self.book.has_ended(index):
                continue  # of a worker that was given up
            if kind == "started":
                self._began_s[index], self._where[index] = time.monotonic(), where
            report = None if parcel is None else unpack(parcel)
            self.book.tell(TaskEvent(index=index, kind=kind, where=where, report=report))

    def _enforce(self) -> None:
        limits, now = self.book.limits, time.monotonic()
        for task, index in list(self._tasks.items()):
            began_s = self._began_s.get(index)
            if self._stopped_s is not None and (began_s is None or now - self._stopped_s > limits.cancel_s):
                self._kill(task, Outcome(state="cancelled", message="it was cancelled, and did not stop"))
            elif limits.time_s is not None and began_s is not None and now - began_s > limits.time_s:
                message = f"it was killed after {limits.time_s:g} s"
                self._kill(task, Outcome(state="timed_out", message=message))

    def _kill(self, task: Any, outcome: Outcome[R]) -> None:
        import ray

        index = self._tasks.pop(task)
        ray.cancel(task, force=True)
        self.book.end(index, outcome, self._where.get(index, ""))

    def end(self) -> None:
        """Leave nothing behind in the cluster."""
        import ray

        for task in self._tasks:
            ray.cancel(task, force=True)
        ray.kill(self._board)
