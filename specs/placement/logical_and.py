"""Several limits as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph.cells import Array
from models.graph.space import Ints
from specs.compiler import Compiler
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec

__all__ = ["LogicalAnd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalAnd(LimitSpec):
    """All of the listed limits hold. As a goal: the sum of their violations, each in its own unit.

    Parameters
    ----------
    specs
        Limits.
    """

    specs: tuple[LimitSpec, ...]

    def __post_init__(self) -> None:
        if not self.specs:
            raise InvalidInput("logical_and: no limits are listed")

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        for spec in self.specs:
            for limit in spec.constraints(c):
                yield Limit(f"{spec.kind()}: {limit.name}", limit.node)

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        return np.concatenate([spec.excess(problem, assignment) for spec in self.specs])

    def describe(self) -> str:
        return ", and ".join(spec.describe() for spec in self.specs)

    @classmethod
    def example(cls) -> Example:
        from specs.placement.to_free import ToFree

        spec = cls(specs=(ToFree(scope="host", items=("h0",)), ToFree(scope="host", items=("h1",))))
        # one task is left on h0, two on h1
        return sample(spec, start=[0, 1, 1], end=[0, 1, 1], hosts=3, value=3.0)
