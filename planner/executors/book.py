"""The book of one map: which tasks wait, which ended, how often each was begun."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from planner.executors.parcel import unpack
from planner.executors.task import Limits, Outcome, TaskEvent

__all__ = ["Book"]

R = TypeVar("R")


class Book(Generic[R]):
    """Of one map.

    Parameters
    ----------
    count
        Of tasks.
    """

    def __init__(self, count: int, limits: Limits, on_event: Callable[[TaskEvent], None] | None) -> None:
        self.limits = limits
        self._on_event = on_event
        self._waiting = deque(range(count))
        self._attempts = [0] * count
        self._outcomes: list[Outcome[R] | None] = [None] * count
        self._left = count
        self.is_stopped = False

    @property
    def is_over(self) -> bool:
        """Whether every task has ended."""
        return self._left == 0

    @property
    def has_waiting(self) -> bool:
        """Whether a task is to be begun."""
        return bool(self._waiting)

    @property
    def outcomes(self) -> list[Outcome[R]]:
        """Of all tasks, in their order, once they have ended."""
        assert self.is_over
        return [outcome for outcome in self._outcomes if outcome is not None]

    def attempts(self, index: int) -> int:
        """How often a task has been begun."""
        return self._attempts[index]

    def has_ended(self, index: int) -> bool:
        """Whether a task has its outcome."""
        return self._outcomes[index] is not None

    def take(self) -> int:
        """The next task to begin."""
        index = self._waiting.popleft()
        self._attempts[index] += 1
        return index

    def stop(self) -> None:
        """Begin nothing any more."""
        self.is_stopped = True
        while self._waiting:
            self.end(self._waiting.popleft(), Outcome(state="cancelled", message="it was cancelled"))

    def tell(self, event: TaskEvent) -> None:
        """Pass an event on."""
        if self._on_event is not None:
            self._on_event(event)

    def lost(self, index: int, how: str, where: str = "") -> None:
        """The worker of a task is gone: once more, unless it was to stop or keeps killing its workers."""
        self.tell(TaskEvent(index=index, kind="lost", where=where))
        attempts = self._attempts[index]
        if self.is_stopped:
            self.end(index, Outcome(state="cancelled", message="it was cancelled"), where)
        elif attempts <= self.limits.retries:
            self._waiting.appendleft(index)
        else:
            message = f"its worker was lost {attempts} times, the last time by {how}"
            self.end(index, Outcome(state="lost", message=message), where)

    def answered(self, index: int, answer: Sequence[Any], where: str = "") -> None:
        """Note the last message of a task; see `planner.executors.answer`."""
        if answer[0] == "done":
            outcome: Outcome[R] = Outcome(state="done", value=unpack(answer[1]))
        elif answer[0] == "failed":
            error = unpack(answer[1])
            outcome = Outcome(state="failed", error=error, message=str(error))
        else:
            assert answer[0] == "out_of_memory", answer[0]
            limit = self.limits.memory_bytes
            reason = (
                "its machine had no more memory" if limit is None else f"it may take {limit:,} bytes more"
            )
            outcome = Outcome(state="out_of_memory", message=f"out of memory: {reason}")
        self.end(index, outcome, where)

    def end(self, index: int, outcome: Outcome[R], where: str = "") -> None:
        """Note what became of a task."""
        assert self._outcomes[index] is None
        self._outcomes[index] = replace(outcome, attempts=self._attempts[index])
        self._left -= 1
        self.tell(TaskEvent(index=index, kind="ended", where=where))
