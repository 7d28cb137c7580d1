"""As little as possible changes place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.errors import Unsupported
from models.graph import Node
from models.graph.space import Ints
from models.graph.weights import StaticWeights
from specs.compiler import Compiler
from specs.dimension import COUNT
from specs.problem import Problem
from specs.spec import Example, Spec

__all__ = ["MinimizeMovement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimizeMovement(Spec):
    """``Σ weight(o)`` over the objects that end in another container than they started in.

    In the dimension's unit; with the default dimension the number of moved objects. Being placed from
    unassigned counts only with `count_placements`; becoming unassigned counts always.

    Parameters
    ----------
    dimension
        What a move of an object costs; it may not depend on the place.
    count_placements
        Whether an object that starts unassigned and is placed counts as moved.
    """

    dimension: str = COUNT
    count_placements: bool = False

    def goal(self, c: Compiler) -> Node:
        weights = c.problem.weights(self.dimension)
        if not isinstance(weights, StaticWeights) or weights.n_components != 1:
            raise Unsupported(
                f"minimize_movement: {self.dimension!r} must be one number for each object, independent of "
                "the place; move_cost prices pairs of places"
            )
        cost = weights.values[:, 0]
        started = c.problem.space.initial >= 0
        return c.moved_amount(cost if self.count_placements else np.where(started, cost, 0.0))

    def check(self, problem: Problem, assignment: Ints) -> float:
        total = 0.0
        weights = problem.weights(self.dimension).at(np.arange(problem.objects.size), np.zeros(1, np.int64))
        for o, (start, end) in enumerate(zip(problem.space.initial, assignment, strict=True)):
            if start != end and (start >= 0 or self.count_placements):
                total += float(weights[o, 0])
        return total

    def describe(self) -> str:
        return (
            "as few objects move as possible" if self.dimension == COUNT else f"little {self.dimension} moves"
        )

    @classmethod
    def example(cls) -> Example:
        from specs.dimension import Dimension
        from specs.entities import Entities

        spec = cls(dimension="memory")
        problem = Problem(
            objects=Entities(name="task", ids=["t0", "t1", "t2"]),
            containers=Entities(name="host", ids=["h0", "h1"]),
            assignment={"t0": "h0", "t1": "h0"},
            dimensions={"memory": Dimension(objects={"t0": 10, "t1": 4, "t2": 7}, unit="GiB")},
            goals=[spec],
        )
        # t1 moves; t2 is placed for the first time, which is not a move
        return Example(problem=problem, spec=spec, assignment={"t0": "h0", "t1": "h1", "t2": "h1"}, value=4.0)
