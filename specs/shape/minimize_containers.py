"""As few scope items as possible are in use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph import Node
from models.graph.cells import Array
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Spec
from specs.values import Numbers, complete

__all__ = ["MinimizeContainers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimizeContainers(Spec):
    """``max(0, Σ_s cost(s) · [used(s) > 0] − free)``, in the unit of the costs.

    Parameters
    ----------
    scope
        Whose items; the containers by themselves, or coarser ones.
    costs
        One number, or by item, at least 0.
    free
        Up to this total it makes no difference.
    dimension
        An item is in use when it holds any of this; by default when it holds an object.
    """

    scope: str
    costs: Numbers = 1.0
    free: float = 0.0
    dimension: str = COUNT

    def __post_init__(self) -> None:
        if not (np.isfinite(self.free) and self.free >= 0):
            raise InvalidInput(f"minimize_containers: free is at least 0, got {self.free}")

    def _costs(self, problem: Problem) -> Array:
        costs = complete(self.costs, problem.items(self.scope), "minimize_containers: costs")
        if costs.min() < 0:
            raise InvalidInput(f"minimize_containers: a cost is at least 0, got {costs.min()}")
        return costs

    def goal(self, c: Compiler) -> Node:
        costs = np.repeat(self._costs(c.problem), c.problem.weights(self.dimension).n_components)
        in_use = c.present(c.used(self.scope, self.dimension))
        total = c.total(c.affine([(in_use, costs)]))
        return c.positive(c.affine([(total, 1.0)], -self.free)) if self.free else total

    def check(self, problem: Problem, assignment: Ints) -> float:
        costs = np.repeat(self._costs(problem), problem.weights(self.dimension).n_components)
        in_use = measure.usage(problem, self.scope, self.dimension, assignment) > 1e-9
        return float(max(0.0, (costs * in_use).sum() - self.free))

    def describe(self) -> str:
        return f"as few items of {self.scope} as possible are in use"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", costs={"h0": 3, "default": 1})
        # h0 and h2 are in use
        return sample(spec, start=[0, 1, 2], end=[0, 0, 2], hosts=3, value=4.0)
