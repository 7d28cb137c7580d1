"""Utilisation that rises above where it started costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph import Node
from models.graph.cells import Array
from models.graph.ops.unary import Power
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import Dimension
from specs.parameters import initial_usage
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Spec

__all__ = ["UtilizationIncreaseCost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UtilizationIncreaseCost(Spec):
    """``Σ_s max(0, r(s)^p − b(s)^p)`` with ``r = used / capacity``.

    ``b(s) = max(floor, r(s) at the start)``. No unit. Items without capacity are left out;
    amounts are taken as at least 0.

    Parameters
    ----------
    scope, dimension
        Places and what is summed.
    floor
        Utilisation up to which nothing costs.
    exponent
        p, at least 1.
    """

    scope: str
    dimension: str
    floor: float = 0.0
    exponent: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.floor) and self.floor >= 0):
            raise InvalidInput(f"utilization_increase_cost: the floor is at least 0, got {self.floor}")
        if not (np.isfinite(self.exponent) and self.exponent >= 1):
            raise InvalidInput(f"utilization_increase_cost: the exponent is at least 1, got {self.exponent}")

    def _inverse(self, problem: Problem) -> Array:
        capacity = measure.capacity(problem, self.scope, self.dimension)
        with np.errstate(divide="ignore"):
            return np.where(capacity > 0, 1.0 / capacity, 0.0)

    def goal(self, c: Compiler) -> Node:
        problem, inverse = c.problem, self._inverse(c.problem)
        start = initial_usage(problem, self.scope, self.dimension)
        base = np.where(inverse > 0, np.maximum(self.floor, start.reshape(-1) * inverse), 0.0)
        r = c.affine([(c.used(self.scope, self.dimension), inverse)])
        if self.exponent == 1.0:
            return c.total(c.positive(c.affine([(r, 1.0)], -base)))
        lifted = c.node(Power(self.exponent), r)
        return c.total(c.positive(c.affine([(lifted, 1.0)], -(base**self.exponent))))

    def check(self, problem: Problem, assignment: Ints) -> float:
        inverse, p = self._inverse(problem), self.exponent
        now = measure.usage(problem, self.scope, self.dimension, assignment) * inverse
        start = measure.usage(problem, self.scope, self.dimension, problem.space.initial) * inverse
        base = np.maximum(self.floor, start)
        rise = np.maximum(0.0, np.maximum(0.0, now) ** p - base**p)
        return float(rise[inverse > 0].sum())

    def describe(self) -> str:
        return f"the utilisation of {self.dimension} on {self.scope} does not rise above where it started"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", dimension="cpu", floor=0.25)
        cpu = Dimension(objects=[2, 4], containers=8)
        # h1 rises from 0 to 4 / 8, a quarter above the floor
        return sample(spec, start=[0, 0], end=[0, 1], hosts=2, dimensions={"cpu": cpu}, value=0.25)
