"""No more than so much moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph.cells import Array
from models.graph.space import Ints
from specs.compiler import Compiler
from specs.dimension import COUNT
from specs.movement.minimize_movement import move_costs
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec

__all__ = ["MovementBudget"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementBudget(LimitSpec):
    """``Σ_o weight(o) · [o ends in another container than it started in] ≤ budget``.

    In the dimension's unit; with the default dimension the number of moved objects. As a goal: what is
    beyond.

    Parameters
    ----------
    budget
        At least 0.
    dimension
        What a move of an object takes from the budget; it may not depend on the place.
    count_placements
        Whether an object that starts unassigned and is placed counts as moved.
    """

    budget: float
    dimension: str = COUNT
    count_placements: bool = False

    def __post_init__(self) -> None:
        if not (np.isfinite(self.budget) and self.budget >= 0):
            raise InvalidInput(f"movement_budget: the budget is at least 0, got {self.budget}")

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        moved = c.moved_amount(move_costs(c.problem, self.dimension, self.count_placements))
        yield Limit("moved", c.affine([(moved, 1.0)], -self.budget))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        moved = move_costs(problem, self.dimension, self.count_placements)
        return np.array([moved[problem.space.initial != assignment].sum() - self.budget])

    def describe(self) -> str:
        what = "objects move" if self.dimension == COUNT else f"{self.dimension} moves"
        return f"at most {self.budget:.6g} {what}"

    @classmethod
    def example(cls) -> Example:
        # two tasks move
        return sample(cls(budget=1), start=[0, 0, 0], end=[0, 1, 1], hosts=2, value=1.0)
