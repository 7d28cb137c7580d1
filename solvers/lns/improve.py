"""Large-neighbourhood search: parts of the problem, each solved exactly, one after another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from models.errors import Unsupported
from models.graph import evaluate
from models.graph.space import Ints
from solvers.clock import Clock
from solvers.lns.incumbent import Incumbent
from solvers.lns.neighbourhoods import Chooser
from solvers.lns.restrict import Restriction, restrict
from solvers.milp.backend import Backend, Outcome, Task
from solvers.milp.backends import backend
from solvers.milp.solve import solve_milp
from solvers.options import SolveOptions

__all__ = ["Improver"]

PART_S = 1.0
"""Time a part should take at most; parts become smaller when it is not enough."""
PART_NODES = 300
"""Nodes of branch and bound a part may take where answers must not depend on time."""
GAP = 1e-8
"""Relative gap of a part: the values are those of the whole problem, so that little of them can change."""


@dataclass(slots=True)
class Improver:
    """Improves an incumbent; several threads may share one, each with its own chooser.

    Parameters
    ----------
    incumbent
        Feasible.
    on_better
        Called under the lock with the tiers of each better assignment.
    """

    incumbent: Incumbent
    on_better: Callable[[tuple[float, ...]], None]
    lock: threading.RLock = field(default_factory=threading.RLock)
    version: int = 0
    tried: int = 0
    better: int = 0

    def move_to(self, assignment: Ints) -> None:
        """Continue from another assignment."""
        with self.lock:
            self.incumbent.move_to(assignment)
            self.version += 1

    def step(self, chooser: Chooser, options: SolveOptions, *, part_s: float | None = PART_S) -> bool:
        """Free one part, solve it, keep it if better; whether it was.

        `part_s`: time limit of the part; None: `PART_NODES` instead, so that the answer repeats.
        """
        with self.lock:
            part = chooser.next()
            made = restrict(self.incumbent, part.objects, part.containers, homes=part.homes)
            version = self.version
        found = self._solved(made, options, part_s)
        gain = 0.0
        if found is not None and np.any(found.assignment != made.graph.space.initial):
            gain = self._keep(made, found.assignment, version)
        chooser.learn(part, gain=gain, share=1.0 if found is None else found.share)
        with self.lock:
            self.tried += 1
            self.better += gain > 0
        return gain > 0

    def _solved(self, part: Restriction, options: SolveOptions, part_s: float | None) -> _Found | None:
        inner = replace(
            options, time_limit_s=part_s, gap=GAP, threads=1, start=None, on_progress=None,
            iteration_limit=None,
        )  # fmt: skip
        clock = Clock(inner)
        try:
            result = solve_milp(
                part.graph, inner, _PartSolver() if part_s is None else backend("highs"), clock
            )
        except Unsupported:
            return None
        if result.assignment is None:
            return None
        if part_s is None:
            share = result.statistics.get("nodes", 0.0) / PART_NODES
        else:
            share = clock.elapsed_s / part_s
        return _Found(result.assignment, share)

    def _keep(self, made: Restriction, assignment: Ints, version: int) -> float:
        """Take what a part found if it is better; by how much it is."""
        with self.lock:
            if version != self.version:
                # something else changed meanwhile: the same places, seen from what is there now
                there = made.containers_of(assignment)
                made = restrict(self.incumbent, made.objects, np.unique(there[there >= 0]))
                assignment = np.where(there < 0, -1, np.searchsorted(made.containers, there)).astype(np.int32)
            gain = _gain(made, assignment)
            if gain > 0:
                self.incumbent.absorb(made, assignment)
                self.version += 1
                self.on_better(self.incumbent.tiers)
            return gain


class _PartSolver(Backend):
    """HiGHS with a limit on nodes."""

    name: ClassVar[str] = "highs"

    def unavailable(self) -> str | None:
        return backend("highs").unavailable()

    def solve(self, task: Task) -> Outcome:
        return backend("highs").solve(replace(task, node_limit=PART_NODES))


@dataclass(frozen=True, slots=True)
class _Found:
    assignment: Ints
    share: float


def _gain(part: Restriction, assignment: Ints) -> float:
    """By how much the first tier that changes is less than now; 0 where it is not, or a limit is broken."""
    after, now = evaluate(part.graph, assignment), evaluate(part.graph, part.graph.space.initial)
    if not after.feasible:
        return 0.0
    for new, old in zip(after.tiers.tolist(), now.tiers.tolist(), strict=True):
        if abs(new - old) > 1e-12 * max(1.0, abs(new), abs(old)):
            return max(float(old - new), 0.0)
    return 0.0
