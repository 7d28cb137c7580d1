"""What a MILP backend is: a model and limits in, a solution and a proven bound out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from models.errors import UnknownName
from models.graph.cells import Array
from solvers.milp.model import MilpModel

__all__ = ["Backend", "Outcome", "Task", "without_columns"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Task:
    """Minimise ``cost · x + offset`` over `model`.

    Parameters
    ----------
    start
        float64[k]: values of the first k columns of a known good solution; None without one.
    time_limit_s, gap, threads, seed
        As in `SolveOptions`.
    absolute_gap
        A bound this close below the objective ends the solve as well; backends may ignore it.
    node_limit
        Branch-and-bound nodes after which it ends, None: no limit; backends may ignore it.
    on_progress
        Called with (best objective or None, bound or None) now and then; True means: stop.
    """

    model: MilpModel
    cost: Array
    offset: float
    start: Array | None
    time_limit_s: float | None
    gap: float
    absolute_gap: float = 1e-9
    node_limit: int | None = None
    threads: int
    seed: int
    on_progress: Callable[[float | None, float | None], bool]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Outcome:
    """What a backend found.

    Parameters
    ----------
    x
        float64[n_columns]: the best solution, or None.
    bound
        No solution has a lower objective; None when nothing is known.
    infeasible
        Proven to have no solution.
    finished
        Ended by itself, not by a limit or a wish to stop.
    statistics
        Numbers by name.
    """

    x: Array | None
    bound: float | None
    infeasible: bool
    finished: bool
    statistics: Mapping[str, float] = field(default_factory=dict)


def without_columns(task: Task) -> Outcome | None:
    """The outcome of a model that has nothing to decide; None for all others.

    Its rows say ``lower <= 0 <= upper``. Backends disagree about what such a model is.
    """
    if task.model.n_columns:
        return None
    if np.any(task.model.row_lower > 1e-6) or np.any(task.model.row_upper < -1e-6):
        return Outcome(x=None, bound=None, infeasible=True, finished=True)
    return Outcome(x=np.empty(0), bound=task.offset, infeasible=False, finished=True)


class Backend(ABC):
    """One solver. Instances hold no state between solves."""

    name: ClassVar[str]

    @abstractmethod
    def unavailable(self) -> str | None:
        """Why it cannot be used here and what to install, or None."""

    def variant(self, name: str) -> Backend:
        """The backend with one of the solvers it can drive. Raises UnknownName."""
        raise UnknownName(f"variant of the solver {self.name}", name, ())

    @abstractmethod
    def solve(self, task: Task) -> Outcome:
        """Solve. Raises Unsupported for models it cannot state exactly, SolverFailed when it breaks."""
