"""Places that are better than others for everything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.graph import Node
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT, Dimension
from specs.parameters import item_numbers
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Spec
from specs.values import Numbers

__all__ = ["ScopeAffinities"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeAffinities(Spec):
    """``−Σ_s affinity(s) · used(s)`` over the scope's items.

    In the unit of the affinities times that of the dimension.

    Parameters
    ----------
    scope
        Places.
    affinities
        By item, of either sign (a negative one is a cost).
    dimension
        What is summed; the number of objects by default.
    """

    scope: str
    affinities: Numbers
    dimension: str = COUNT

    def goal(self, c: Compiler) -> Node:
        problem = c.problem
        affinity = item_numbers(
            problem, self.affinities, self.scope, self.dimension, "scope_affinities: affinities"
        )
        return c.total(c.affine([(c.used(self.scope, self.dimension), -affinity)]))

    def check(self, problem: Problem, assignment: Ints) -> float:
        affinity = item_numbers(
            problem, self.affinities, self.scope, self.dimension, "scope_affinities: affinities"
        )
        return -float(np.dot(affinity, measure.usage(problem, self.scope, self.dimension, assignment)))

    def describe(self) -> str:
        return f"{self.dimension} is on the better items of {self.scope}"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", affinities={"h0": 2, "default": -1}, dimension="load")
        load = Dimension(objects=[3, 4])
        # −(2 · 3 − 1 · 4)
        return sample(spec, start=[0, 0], end=[0, 1], hosts=2, dimensions={"load": load}, value=-2.0)
