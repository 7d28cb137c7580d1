"""At least one of several limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph.cells import Array
from models.graph.ops.nary import Minimum
from models.graph.space import Ints
from specs.compiler import Compiler
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec

__all__ = ["LogicalOr"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalOr(LimitSpec):
    """``min_i violation(i) ≤ 0``: at least one of the listed limits holds as a whole.

    violation(i) is the sum of what is beyond limit i, in its own unit; the least of them is the value as a
    goal.

    Parameters
    ----------
    specs
        Two or more limits.
    """

    specs: tuple[LimitSpec, ...]

    def __post_init__(self) -> None:
        if len(self.specs) < 2:
            raise InvalidInput(f"logical_or: two or more limits are needed, got {len(self.specs)}")

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        yield Limit("one of several", c.node(Minimum(), *[spec.goal(c) for spec in self.specs]))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        return np.array([min(spec.check(problem, assignment) for spec in self.specs)])

    def describe(self) -> str:
        return ", or ".join(spec.describe() for spec in self.specs)

    @classmethod
    def example(cls) -> Example:
        from specs.placement.to_free import ToFree

        spec = cls(specs=(ToFree(scope="host", items=("h0",)), ToFree(scope="host", items=("h1",))))
        # one task is left on h0, two on h1: freeing h0 is the closer of the two
        return sample(spec, start=[0, 1, 1], end=[0, 1, 1], hosts=3, value=1.0)
