"""What flows into or out of places when each group balances itself as near as it can."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.graph.cells import Array
from models.graph.ops.reduce import COLUMNS
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import Dimension
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec
from specs.values import Numbers, complete

__all__ = ["NetFlow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetFlow(LimitSpec):
    """``Σ_g (used(g, s))⁺ ≤ limit(s)`` (out) or ``Σ_g (−used(g, s))⁺ ≤ limit(s)`` (in) for every item s.

    The dimension is signed: an object sends (above 0) or receives (below 0). What a group sends and receives
    inside an item cancels; the rest crosses its border. On a tree of links this is the least that any routing
    puts on the link of s, for all groups and items at once, so that limits on all scopes of the tree hold
    together exactly when the flows can be routed. As a goal: what is beyond the limits, in the dimension's
    unit.

    Parameters
    ----------
    scope, partition
        Places, and groups inside of which objects send to one another.
    dimension
        What is sent (positive) and received (negative).
    limit
        One number, or by item.
    direction
        ``out`` of the items, or ``in``.
    """

    scope: str
    partition: str
    dimension: str
    limit: Numbers
    direction: Literal["out", "in"] = "out"

    def _limit(self, problem: Problem) -> Array:
        return complete(self.limit, problem.items(self.scope), "net_flow: limit")

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        sign = 1.0 if self.direction == "out" else -1.0
        used = c.used_by_group(self.partition, self.scope, self.dimension)
        crossing = c.total(c.positive(c.scaled(used, sign)), COLUMNS)
        yield Limit(f"flow {self.direction}", c.affine([(crossing, 1.0)], -self._limit(c.problem)))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        sign = 1.0 if self.direction == "out" else -1.0
        used = measure.usage_by_group(problem, self.partition, self.scope, self.dimension, assignment)
        return np.asarray(np.maximum(sign * used, 0.0).sum(axis=0) - self._limit(problem))

    def describe(self) -> str:
        word = "out of" if self.direction == "out" else "into"
        return f"no more {self.dimension} of any {self.partition} flows {word} a {self.scope} than its limit"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", partition="job", dimension="traffic", limit=2)
        traffic = Dimension(objects=np.array([5.0, -3.0, -2.0]), unit="GB/s")
        # t0 sends 5 GB/s, of which t1 takes 3 on the same host: 2 leave h0 without t1's share, 5 with it away
        return sample(spec, start=[0, 1, 1], end=[0, 1, 1], hosts=2, dimensions={"traffic": traffic},
                      jobs={"j0": ["t0", "t1", "t2"]}, value=3.0)  # fmt: skip
