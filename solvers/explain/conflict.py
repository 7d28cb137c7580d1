"""A minimal set of limits that cannot hold together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.graph import Graph
from solvers.clock import Clock
from solvers.milp.backend import Backend, Task
from solvers.milp.backends import backend
from solvers.milp.lowering import Interrupted, Limit, Lowered, lower
from solvers.milp.model import MilpModel
from solvers.options import SolveOptions

__all__ = ["Conflict", "feasibility_task", "find_conflict"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Limits that no assignment holds together.

    `minimal`: without any one of them the others can hold (proven); False when time ran out before that.
    """

    limits: tuple[Limit, ...]
    minimal: bool

    @property
    def specs(self) -> tuple[str, ...]:
        """Names of the specs involved, each once, in order of the graph."""
        return tuple(dict.fromkeys(limit.constraint.spec for limit in self.limits))


def find_conflict(graph: Graph, options: SolveOptions | None = None) -> Conflict | None:
    """Why `graph` is infeasible: single elements (a rack, a group on a rack) of hard constraints.

    By QuickXplain (Junker 2004): about ``2 k log2(n / k)`` feasibility checks for k of n limits. None when
    the limits can hold together, or when that is not decided within the time limit.
    """
    options = options or SolveOptions()
    clock = Clock(options)
    try:
        lowered = lower(graph, prune=False, stopped=lambda: clock.stopped)
    except Interrupted:
        return None
    search = _Search(lowered, options, clock)
    if not search.contradictory(np.ones(len(search.limits), np.bool_)):
        return None
    found = search.minimal(
        np.zeros(len(search.limits), np.bool_), list(range(len(search.limits))), grown=False
    )
    return Conflict(tuple(search.limits[i] for i in sorted(found)), not search.clock.stopped and search.sure)


def feasibility_task(model: MilpModel, options: SolveOptions, clock: Clock) -> Task:
    """The task of finding any solution of `model`."""
    return Task(
        model=model,
        cost=np.zeros(model.n_columns),
        offset=0.0,
        start=None,
        time_limit_s=clock.remaining_s,
        gap=options.gap,
        threads=options.threads,
        seed=options.seed,
        on_progress=lambda objective, bound: clock.report("explain", 0, objective, bound),
    )


class _Search:
    def __init__(self, lowered: Lowered, options: SolveOptions, clock: Clock) -> None:
        self.limits = lowered.limits
        self.clock = clock
        self.sure = True
        self._model = lowered.model
        self._options = options
        self._backend: Backend = backend("highs" if options.solver == "auto" else options.solver)

    def contradictory(self, kept: npt.NDArray[np.bool_]) -> bool:
        """Whether the limits in `kept` cannot hold together (proven)."""
        m = self._model
        off = (m.block >= 0) & ~kept[np.maximum(m.block, 0)] if kept.size else np.zeros(m.n_rows, np.bool_)
        model = replace(m, row_upper=np.where(off, np.inf, m.row_upper))
        if self.clock.stopped:
            self.sure = False
            return False
        outcome = self._backend.solve(feasibility_task(model, self._options, self.clock))
        self.sure = self.sure and (outcome.infeasible or outcome.x is not None)
        return outcome.infeasible

    def minimal(self, fixed: npt.NDArray[np.bool_], candidates: list[int], *, grown: bool) -> list[int]:
        """The candidates needed beside `fixed`; `grown`: whether `fixed` is new since the last check."""
        if grown and self.contradictory(fixed):
            return []
        if len(candidates) <= 1:
            return candidates
        half = len(candidates) // 2
        left, right = candidates[:half], candidates[half:]
        needed_right = self.minimal(_with(fixed, left), right, grown=True)
        needed_left = self.minimal(_with(fixed, needed_right), left, grown=bool(needed_right))
        return [*needed_left, *needed_right]


def _with(mask: npt.NDArray[np.bool_], more: list[int]) -> npt.NDArray[np.bool_]:
    out = mask.copy()
    out[more] = True
    return out
