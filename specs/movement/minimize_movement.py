"""As little as possible changes place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.errors import Unsupported
from models.graph import Node, Scope
from models.graph.cells import Array
from models.graph.ops.reduce import ROWS, Peak
from models.graph.space import Ints
from models.graph.weights import StaticWeights
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT, Dimension
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Spec

__all__ = ["MinimizeMovement", "move_costs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimizeMovement(Spec):
    """``Σ_o weight(o) · [o ends in another container than it started in]``, or the largest sum of any group.

    In the dimension's unit; with the default dimension the number of moved objects. Becoming unassigned is a
    move; being placed from unassigned is one only with `count_placements`.

    Parameters
    ----------
    dimension
        What a move of an object costs; it may not depend on the place.
    largest_over
        A partition: the value is ``max_g Σ_{o ∈ g} weight(o) · [o moved]``.
    count_placements
        Whether an object that starts unassigned and is placed counts as moved.
    """

    dimension: str = COUNT
    largest_over: str | None = None
    count_placements: bool = False

    def goal(self, c: Compiler) -> Node:
        costs = move_costs(c.problem, self.dimension, self.count_placements)
        if self.largest_over is None:
            return c.moved_amount(costs)
        places = Scope.places(c.problem.containers.axis)
        partition = c.problem.partition(self.largest_over)
        return c.node(Peak(), c.total(c.group_usage(partition, places, costs, "new"), ROWS))

    def check(self, problem: Problem, assignment: Ints) -> float:
        moved = move_costs(problem, self.dimension, self.count_placements)
        moved = moved * (problem.space.initial != assignment)
        if self.largest_over is None:
            return float(moved.sum())
        return float((measure.members(problem, self.largest_over) @ moved).max())

    def describe(self) -> str:
        what = "few objects move" if self.dimension == COUNT else f"little {self.dimension} moves"
        return what if self.largest_over is None else f"{what} in any {self.largest_over}"

    @classmethod
    def example(cls) -> Example:
        memory = Dimension(objects=[10, 4, 7], unit="GiB")
        # t1 moves; t2 is placed for the first time, which is not a move
        return sample(cls(dimension="memory"), start=[0, 0, -1], end=[0, 1, 1], hosts=2,
                      dimensions={"memory": memory}, value=4.0)  # fmt: skip


def move_costs(problem: Problem, dimension: str, count_placements: bool) -> Array:
    """float64[n_objects]: what it costs to move each object; 0 where being placed is not a move.

    Raises Unsupported when the dimension is not one number for each object.
    """
    weights = problem.weights(dimension)
    if not isinstance(weights, StaticWeights) or weights.n_components != 1:
        raise Unsupported(
            f"movement: {dimension!r} must be one number for each object, independent of the place; "
            "move_cost prices pairs of places"
        )
    costs = weights.values[:, 0]
    return costs if count_placements else np.where(problem.space.initial >= 0, costs, 0.0)
