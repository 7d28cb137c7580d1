"""No more than so much of each group moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.graph import Scope
from models.graph.cells import Array
from models.graph.ops.reduce import ROWS
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT
from specs.movement.minimize_movement import move_costs
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec
from specs.values import Numbers, complete

__all__ = ["GroupMoveLimit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMoveLimit(LimitSpec):
    """``Σ_{o ∈ g} weight(o) · [o moved] ≤ limit(g)`` for every group g; moved: ends in another container.

    In the dimension's unit; with the default dimension the number of moved objects. As a goal: the sum of
    what is beyond.

    Parameters
    ----------
    partition
        Groups.
    limit
        One number, or by group.
    dimension
        What is summed; it may not depend on the place.
    count_placements
        Whether an object that starts unassigned and is placed counts as moved.
    """

    partition: str
    limit: Numbers
    dimension: str = COUNT
    count_placements: bool = False

    def _limits(self, problem: Problem) -> Array:
        return complete(self.limit, problem.groups(self.partition), "group_move_limit: limit")

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        problem = c.problem
        costs = move_costs(problem, self.dimension, self.count_placements)
        places = Scope.places(problem.containers.axis)
        moved = c.total(c.group_usage(problem.partition(self.partition), places, costs, "new"), ROWS)
        yield Limit("moved of the group", c.affine([(moved, 1.0)], -self._limits(problem)))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        costs = move_costs(problem, self.dimension, self.count_placements)
        moved = costs * (problem.space.initial != assignment)
        return np.asarray(measure.members(problem, self.partition) @ moved - self._limits(problem))

    def describe(self) -> str:
        return f"little of each {self.partition} moves"

    @classmethod
    def example(cls) -> Example:
        spec = cls(partition="job", limit=1)
        # both tasks of j0 move
        return sample(spec, start=[0, 0, 0], end=[1, 1, 1], hosts=2,
                      jobs={"j0": ["t0", "t1"], "j1": ["t2"]}, value=1.0)  # fmt: skip
