"""Scope items that are to be empty."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

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

__all__ = ["ToFree"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToFree(LimitSpec):
    """``used(s) ≤ 0`` (amount) or ``[used(s) > 0] ≤ 0`` (occupied) for the listed items s.

    As a goal: what is left on them, in the dimension's unit, or the number of them in use.

    Parameters
    ----------
    scope, items
        Which places.
    measure_of
        ``amount`` or ``occupied``.
    dimension
        What is summed; the number of objects by default.
    """

    scope: str
    items: tuple[str, ...]
    measure_of: Literal["amount", "occupied"] = "amount"
    dimension: str = COUNT

    def _kept(self, problem: Problem) -> Array:
        kept = chosen(self.items, problem.items(self.scope), "to_free: items")
        return np.repeat(kept, problem.weights(self.dimension).n_components)

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        left = c.affine([(c.used(self.scope, self.dimension), self._kept(c.problem))])
        yield Limit("left over", left if self.measure_of == "amount" else c.present(left))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        left = self._kept(problem) * measure.usage(problem, self.scope, self.dimension, assignment)
        return left if self.measure_of == "amount" else (left > 1e-9).astype(np.float64)

    def describe(self) -> str:
        return f"{len(self.items)} listed items of {self.scope} are emptied"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", items=("h0", "h1"))
        # two tasks are left on h0
        return sample(spec, start=[0, 0, 1], end=[0, 0, 2], hosts=3, value=2.0)
