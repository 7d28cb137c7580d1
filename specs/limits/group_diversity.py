"""How many different groups a scope item holds."""

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
from specs.dimension import COUNT
from specs.parameters import chosen
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec
from specs.values import Numbers, complete

__all__ = ["GroupDiversity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDiversity(LimitSpec):
    """``|{g : used(g, s) > 0}| ≥ limit(s)`` (min) or ``≤`` (max) for every scope item s.

    As a goal: the number of groups that are missing, or too many, over all items.

    Parameters
    ----------
    scope, partition
        Places and groups.
    limit
        Number of groups: one number, or by item.
    bound
        ``min`` or ``max``.
    dimension
        A group is on an item when it uses any of this there; by default when it has an object there.
    items
        Only these; None: all.
    """

    scope: str
    partition: str
    limit: Numbers
    bound: Literal["min", "max"] = "min"
    dimension: str = COUNT
    items: tuple[str, ...] | None = None

    def _numbers(self, problem: Problem) -> tuple[Array, Array]:
        items = problem.items(self.scope)
        limit = complete(self.limit, items, "group_diversity: limit")
        sign = 1.0 if self.bound == "max" else -1.0
        return limit, sign * chosen(self.items, items, "group_diversity: items")

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        limit, sign = self._numbers(c.problem)
        there = c.total(c.present(c.used_by_group(self.partition, self.scope, self.dimension)), COLUMNS)
        yield Limit(f"{self.bound} groups", c.affine([(there, sign)], -limit * sign))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        limit, sign = self._numbers(problem)
        used = measure.usage_by_group(problem, self.partition, self.scope, self.dimension, assignment)
        return np.asarray(((used > 1e-9).sum(axis=0) - limit) * sign)

    def describe(self) -> str:
        word = "at least" if self.bound == "min" else "at most"
        return f"every {self.scope} holds {word} its number of different {self.partition}s"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", partition="job", limit=1, bound="max")
        # h0 holds two jobs, h1 one
        return sample(spec, start=[0, 0, 0], end=[0, 0, 1], hosts=2,
                      jobs={"j0": ["t0"], "j1": ["t1", "t2"]}, value=1.0)  # fmt: skip
