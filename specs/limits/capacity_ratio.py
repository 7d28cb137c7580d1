"""One dimension limits another on each scope item."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from models.graph.cells import Array
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import Dimension
from specs.parameters import Counted, item_numbers
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec
from specs.values import Numbers

__all__ = ["CapacityRatio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityRatio(LimitSpec):
    """``used_dimension(s) ≤ ratio(s) · used_base(s)`` for every scope item s.

    In the unit of `dimension`. As a goal: the sum of what is beyond.

    Parameters
    ----------
    scope, dimension, base
        Places, the limited dimension, and the one that limits it.
    ratio
        Units of `dimension` for each unit of `base`: one number, or by item.
    counted
        Which objects count for a place.
    """

    scope: str
    dimension: str
    base: str
    ratio: Numbers = 1.0
    counted: Counted = "after"

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        ratio = item_numbers(c.problem, self.ratio, self.scope, self.dimension, "capacity_ratio: ratio")
        used, base = (c.used(self.scope, d, self.counted) for d in (self.dimension, self.base))
        yield Limit("ratio", c.affine([(used, 1.0), (base, -ratio)]))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        ratio = item_numbers(problem, self.ratio, self.scope, self.dimension, "capacity_ratio: ratio")
        used, base = (
            measure.usage(problem, self.scope, d, assignment, self.counted)
            for d in (self.dimension, self.base)
        )
        return used - ratio * base

    def describe(self) -> str:
        return f"on every {self.scope}, {self.dimension} is limited by {self.base}"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", dimension="client", base="server", ratio=2)
        dimensions = {"client": Dimension(objects=[3, 0, 1]), "server": Dimension(objects=[0, 1, 0])}
        # h0: 3 clients, 1 server serves 2; h1: 1 client, none
        return sample(spec, start=[0, 0, 1], end=[0, 0, 1], hosts=2, dimensions=dimensions, value=2.0)
