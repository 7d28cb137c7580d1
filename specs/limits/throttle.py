"""How much may move into or out of a scope item."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from models.graph.cells import Array
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT
from specs.parameters import item_numbers
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec
from specs.values import Numbers

__all__ = ["Throttle"]

_COUNTED = {"in": "new", "out": "old", "any": "moved"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle(LimitSpec):
    """``arriving(s) ≤ limit(s)``, ``leaving(s) ≤ limit(s)``, or their sum, for every scope item s.

    In the dimension's unit; by default the number of objects. As a goal: the sum of what is beyond.

    Parameters
    ----------
    scope
        Places.
    limit
        One number, or by item.
    direction
        ``in``, ``out`` or ``any`` (in plus out).
    dimension
        What is summed.
    """

    scope: str
    limit: Numbers
    direction: Literal["in", "out", "any"] = "any"
    dimension: str = COUNT

    def _limits(self, problem: Problem) -> Array:
        return item_numbers(problem, self.limit, self.scope, self.dimension, "throttle: limit")

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        moving = c.used(self.scope, self.dimension, _COUNTED[self.direction])
        yield Limit(f"moving {self.direction}", c.affine([(moving, 1.0)], -self._limits(c.problem)))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        moving = measure.usage(problem, self.scope, self.dimension, assignment, _COUNTED[self.direction])
        return moving - self._limits(problem)

    def describe(self) -> str:
        return f"little {self.dimension} moves ({self.direction}) at every {self.scope}"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", limit=1, direction="in")
        # three tasks arrive at h1
        return sample(spec, start=[0, 0, 0], end=[1, 1, 1], hosts=2, value=2.0)
