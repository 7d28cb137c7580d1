"""As much as possible is placed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.graph import Node
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT, Dimension
from specs.parameters import chosen
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Spec

__all__ = ["MaximizeAllocation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaximizeAllocation(Spec):
    """``−Σ_s used(s)`` over the scope's items, in the dimension's unit: minus what is placed there.

    Parameters
    ----------
    scope
        Where placing counts. Items that overlap count an object once each.
    dimension
        What an object is worth; by default 1.
    items
        Only these items; None: all.
    """

    scope: str
    dimension: str = COUNT
    items: tuple[str, ...] | None = None

    def goal(self, c: Compiler) -> Node:
        kept = chosen(self.items, c.problem.items(self.scope), "maximize_allocation: items")
        kept = np.repeat(kept, c.problem.weights(self.dimension).n_components)
        return c.total(c.affine([(c.used(self.scope, self.dimension), -kept)]))

    def check(self, problem: Problem, assignment: Ints) -> float:
        kept = chosen(self.items, problem.items(self.scope), "maximize_allocation: items")
        kept = np.repeat(kept, problem.weights(self.dimension).n_components)
        return -float(kept @ measure.usage(problem, self.scope, self.dimension, assignment))

    def describe(self) -> str:
        what = "objects" if self.dimension == COUNT else self.dimension
        return f"as much {what} as possible is placed on {self.scope}"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", dimension="worth")
        worth = Dimension(objects=[3, 5, 8])
        # t2 is not placed
        return sample(
            spec, start=[-1, -1, -1], end=[0, 0, -1], hosts=1, dimensions={"worth": worth}, value=-8.0
        )
