"""What is run, within which limits, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from models.errors import InvalidInput, SolverFailed

__all__ = ["Context", "Limits", "Outcome", "TaskEvent", "TaskFunction", "values_of"]

R = TypeVar("R")

State = Literal["done", "failed", "timed_out", "out_of_memory", "lost", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of each task of a map.

    Parameters
    ----------
    time_s
        Seconds from its start, after which its worker is killed; None: no limit. A task started again
        because its worker was lost has all of it again.
    memory_bytes
        Writable memory a task may take beyond what its worker holds when it begins; None: no limit. Kept by
        the kernel where it can (Linux).
    retries
        How often a task is started again after its worker was lost: killed, crashed, or its machine gone.
    cancel_s
        Seconds a task has to return its best after it was told to stop, before its worker is killed.
    """

    time_s: float | None = None
    memory_bytes: int | None = None
    retries: int = 2
    cancel_s: float = 10.0

    def __post_init__(self) -> None:
        if self.time_s is not None and not self.time_s > 0:
            raise InvalidInput(f"the time limit of a task must be above 0 s, got {self.time_s}")
        if self.memory_bytes is not None and self.memory_bytes < 1:
            raise InvalidInput(f"the memory limit of a task must be above 0 bytes, got {self.memory_bytes}")
        if self.retries < 0:
            raise InvalidInput(f"a task can be retried 0 times or more, got {self.retries}")


@dataclass(frozen=True, slots=True)
class Context:
    """What a task may tell and ask while it runs.

    Parameters
    ----------
    report
        Passes a picklable report on to whoever started the map. Each is a message: a few a second will do.
    is_cancelled
        Whether the task should return soon with what it has.
    """

    report: Callable[[Any], None]
    is_cancelled: Callable[[], bool]


TaskFunction = Callable[[Any, Context], R]
"""A function of a module, so that a worker finds it by its name; input and result are picklable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEvent:
    """One thing that happened to one task.

    Parameters
    ----------
    index
        Of its input.
    kind
        ``started`` (again after each loss), ``reported``, ``lost`` (its worker), ``ended``.
    where
        Which worker: a process id, or the id of a node of a cluster.
    report
        What the task said, for ``reported``.
    """

    index: int
    kind: Literal["started", "reported", "lost", "ended"]
    where: str = ""
    report: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[R]):
    """What became of one task.

    Parameters
    ----------
    value
        What it returned; of a task that was cancelled in time only where it is ``done``.
    error
        What it raised, where it ``failed``.
    message
        Why there is no value, as a sentence.
    attempts
        How often it was started.
    """

    state: State
    value: R | None = None
    error: Exception | None = None
    message: str = ""
    attempts: int = 1


def values_of(outcomes: Sequence[Outcome[R]]) -> list[R]:
    """The values in the order of the inputs.

    Raises
    ------
    Exception
        What the first task that failed had raised.
    SolverFailed
        The first task without a value was killed for its limits, lost or cancelled.
    """
    found = []
    for index, outcome in enumerate(outcomes):
        if outcome.error is not None:
            raise outcome.error
        if outcome.state != "done":
            raise SolverFailed(f"task {index + 1} of {len(outcomes)}: {outcome.message}")
        found.append(outcome.value)
    return found  # type: ignore[return-value]
