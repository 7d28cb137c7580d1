"""Scope items that take nothing new."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.graph.cells import Array
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT
from specs.parameters import chosen
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec

__all__ = ["NonAccepting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NonAccepting(LimitSpec):
    """``arriving(s) ≤ 0`` for the listed items s: objects there at the end were there at the start.

    As a goal: the amount that arrives, in the dimension's unit; by default the number of objects.

    Parameters
    ----------
    scope, items
        Which places.
    dimension
        What is summed.
    """

    scope: str
    items: tuple[str, ...]
    dimension: str = COUNT

    def _kept(self, problem: Problem) -> Array:
        kept = chosen(self.items, problem.items(self.scope), "non_accepting: items")
        return np.repeat(kept, problem.weights(self.dimension).n_components)

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        new = c.used(self.scope, self.dimension, "new")
        yield Limit("nothing arrives", c.affine([(new, self._kept(c.problem))]))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        return self._kept(problem) * measure.usage(problem, self.scope, self.dimension, assignment, "new")

    def describe(self) -> str:
        return f"{len(self.items)} listed items of {self.scope} take nothing new"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", items=("h1",))
        # t1 arrives at h1; t2 was there
        return sample(spec, start=[0, 0, 1], end=[0, 1, 1], hosts=2, value=1.0)
