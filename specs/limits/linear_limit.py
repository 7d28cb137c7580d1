"""A linear combination of dimensions on each scope item is limited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph.cells import Array
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import Dimension
from specs.parameters import Counted, chosen, item_numbers
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec
from specs.values import Numbers

__all__ = ["LinearLimit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearLimit(LimitSpec):
    """``Σ_d coefficient(d) · used_d(s) ≤ limit(s)`` for every scope item s.

    In the unit of the coefficients times those of their dimensions. As a goal: the sum of what is beyond.

    Parameters
    ----------
    scope
        Where.
    coefficients
        Dimension → coefficient, of either sign.
    limit
        One number, or by item; of either sign.
    counted
        Which objects count for a place.
    items
        Only these items; None: all.
    """

    scope: str
    coefficients: Mapping[str, float]
    limit: Numbers
    counted: Counted = "after"
    items: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not self.coefficients:
            raise InvalidInput("linear_limit: there are no coefficients")
        if not np.all(np.isfinite(list(self.coefficients.values()))):
            raise InvalidInput("linear_limit: every coefficient must be a finite number")

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        problem = c.problem
        kept = self._kept(problem)
        terms = [(c.used(self.scope, d, self.counted), k * kept) for d, k in self.coefficients.items()]
        yield Limit("at most", c.affine(terms, -self._limits(problem) * kept))

    def _kept(self, problem: Problem) -> Array:
        components = problem.weights(next(iter(self.coefficients))).n_components
        return np.repeat(chosen(self.items, problem.items(self.scope), "linear_limit: items"), components)

    def _limits(self, problem: Problem) -> Array:
        first = next(iter(self.coefficients))
        return item_numbers(problem, self.limit, self.scope, first, "linear_limit: limit")

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        total = -self._limits(problem)
        for dimension, coefficient in self.coefficients.items():
            total = total + coefficient * measure.usage(
                problem, self.scope, dimension, assignment, self.counted
            )
        return total * self._kept(problem)

    def describe(self) -> str:
        left = " + ".join(f"{k:.6g}·{d}" for d, k in self.coefficients.items())
        return f"on every {self.scope}, {left} is at most its limit"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", coefficients={"gpu": 2.0, "memory": -1.0}, limit=1.0)
        dimensions = {"gpu": Dimension(objects=[2, 1]), "memory": Dimension(objects=[1, 4])}
        # h0: 2·2 − 1 = 3, 2 beyond 1; h1: 2·1 − 4 = −2
        return sample(spec, start=[0, 0], end=[0, 1], hosts=2, dimensions=dimensions, value=2.0)
