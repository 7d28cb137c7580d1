"""The one interface of everything that runs tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from planner.executors.task import Limits, Outcome, TaskEvent, TaskFunction

__all__ = ["Executor"]

R = TypeVar("R")


class Executor(Protocol):
    """Runs independent tasks. A context manager: leaving it ends every worker."""

    slots: int
    """How many tasks run at once."""

    def map(
        self,
        function: TaskFunction[R],
        inputs: Sequence[Any],
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        on_event: Callable[[TaskEvent], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[Outcome[R]]:
        """Apply a function to every input and return the outcomes in the order of the inputs.

        Parameters
        ----------
        function
            Of a module (no lambda, nothing nested); called with one input and a `Context`.
        on_event
            Called in this thread as things happen; reports of different tasks interleave.
        cancelled
            Asked every now and then. Once true, tasks that wait are not started, and those that run are told
            and get ``limits.cancel_s`` to return what they have.
        """
        ...

    def close(self) -> None:
        """End every worker."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
