"""The best assignment so far, judged by the reference evaluation; and the budget that all threads share."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.graph import Evaluation, Graph, evaluate
from models.graph.space import Ints
from solvers.clock import Clock
from solvers.search.flatten import relaxed

__all__ = ["Budget", "Incumbent"]


@dataclass(slots=True)
class Incumbent:
    """The best assignment so far: by objects that lack a container, by violation, then tier by tier.

    `cost` is what the kernels say it costs, `evaluation` what the reference says.
    """

    graph: Graph
    assignment: Ints
    key: tuple[float, ...] = ()
    cost: float = 0.0
    evaluation: Evaluation = field(init=False)

    def __post_init__(self) -> None:
        self.key, self.evaluation = self._judged(self.assignment)

    def _judged(self, assignment: Ints) -> tuple[tuple[float, ...], Evaluation]:
        evaluation = evaluate(relaxed(self.graph), assignment)
        violation = sum(c.violation for c in evaluation.constraints if c.constraint.enforcement == "hard")
        stranded = int(((assignment < 0) & ~self.graph.space.may_be_unassigned).sum())
        return (float(stranded), float(violation), *evaluation.tiers.tolist()), evaluation

    def offer(self, assignment: Ints, cost: float) -> bool:
        """Take `assignment` if it is better; whether it is."""
        key, evaluation = self._judged(assignment)
        for mine, other in zip(self.key, key, strict=True):
            if abs(mine - other) > 1e-9 * max(1.0, abs(mine), abs(other)):
                if other > mine:
                    return False
                self.assignment, self.key, self.cost, self.evaluation = assignment, key, cost, evaluation
                return True
        return False

    def settle(self, assignment: Ints, cost: float) -> bool:
        """Take `assignment`, which moves fewer objects, unless it is worse in any respect; whether it did."""
        if np.array_equal(assignment, self.assignment):
            return False
        key, evaluation = self._judged(assignment)
        for mine, other in zip(self.key, key, strict=True):
            if other > mine + 1e-9 * max(1.0, abs(mine), abs(other)):
                return False
        self.assignment, self.key, self.cost, self.evaluation = assignment, key, cost, evaluation
        return True

    @property
    def tiers(self) -> tuple[float, ...]:
        """Values of the goal tiers."""
        return self.key[2:]


@dataclass(slots=True)
class Budget:
    """Time or iterations, whichever is limited; `used` counts the iterations of each thread.

    ``reserve_s``: time that evaluating the answer takes after everything else.
    """

    clock: Clock
    time_limit_s: float | None
    iteration_limit: int | None
    used: list[int] = field(default_factory=list)
    reserve_s: float = 0.0

    def fraction(self, thread: int) -> float:
        """Share of the budget that is gone, for this thread."""
        spent = 0.0
        if self.iteration_limit is not None:
            spent = self.used[thread] * len(self.used) / self.iteration_limit
        if self.time_limit_s is not None:
            spent = max(spent, self.clock.elapsed_s / self.time_limit_s)
        return spent

    @property
    def late(self) -> bool:
        """Whether only the reserve is left, whatever else has stopped the search."""
        left = self.clock.remaining_s
        return left is not None and left <= self.reserve_s

    def over(self, thread: int) -> bool:
        """Whether this thread has to stop (asks the caller)."""
        return self.clock.stopped or self.fraction(thread) >= 1.0
