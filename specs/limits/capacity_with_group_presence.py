"""A limit on scope items where a group costs something once, however many of its objects are there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.errors import InvalidInput
from models.graph.cells import Array
from models.graph.ops.reduce import COLUMNS
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT, Dimension
from specs.parameters import item_numbers
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec
from specs.values import Numbers, complete

__all__ = ["CapacityWithGroupPresence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityWithGroupPresence(LimitSpec):
    """``used(s) + Σ_g extra(g, s) ≤ L(s)`` for every scope item s.

    Mode ``plus``: ``extra(g, s) = fixed(g) · [g has an object on s]``: model weights shared by replicas,
    beside what each replica needs. Mode ``at_least``: ``extra(g, s) = max(0, fixed(g) · [g has an object on
    s] − used(g, s))``: a group that is there takes at least its fixed amount. L(s) is `limit` where given,
    else the capacity. In the dimension's unit. As a goal: the sum of what is beyond.

    Parameters
    ----------
    scope, dimension, partition
        Places, what is summed, and the groups with a fixed amount.
    fixed
        Fixed amount in the dimension's unit: one number, or by group; at least 0.
    limit
        One number, or by item. None: the capacity.
    mode
        ``plus`` or ``at_least``.
    """

    scope: str
    dimension: str
    partition: str
    fixed: Numbers
    limit: Numbers | None = None
    mode: Literal["plus", "at_least"] = "plus"

    def _numbers(self, problem: Problem) -> tuple[Array, Array]:
        what = "capacity_with_group_presence"
        fixed = complete(self.fixed, problem.groups(self.partition), f"{what}: fixed")
        if fixed.min() < 0:
            raise InvalidInput(f"{what}: a fixed amount is at least 0, got {fixed.min()}")
        if self.limit is None:
            return fixed, measure.capacity(problem, self.scope, self.dimension)
        return fixed, item_numbers(problem, self.limit, self.scope, self.dimension, f"{what}: limit")

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        fixed, limit = self._numbers(c.problem)
        there = c.present(c.used_by_group(self.partition, self.scope, COUNT))
        extra = c.affine([(there, fixed.reshape(-1, 1))])
        if self.mode == "at_least":
            used_by_group = c.used_by_group(self.partition, self.scope, self.dimension)
            extra = c.positive(c.affine([(extra, 1.0), (used_by_group, -1.0)]))
        used = c.used(self.scope, self.dimension)
        yield Limit("with fixed amounts", c.affine([(used, 1.0), (c.total(extra, COLUMNS), 1.0)], -limit))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        fixed, limit = self._numbers(problem)
        there = measure.usage_by_group(problem, self.partition, self.scope, COUNT, assignment) > 0
        extra = there * fixed[:, None]
        if self.mode == "at_least":
            used = measure.usage_by_group(problem, self.partition, self.scope, self.dimension, assignment)
            extra = np.maximum(extra - used, 0.0)
        total = measure.usage(problem, self.scope, self.dimension, assignment) + extra.sum(axis=0)
        return np.asarray(total - limit)

    def describe(self) -> str:
        return (
            f"every {self.scope} has room for its {self.dimension} and once for each {self.partition} on it"
        )

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", dimension="memory", partition="job", fixed=10)
        memory = Dimension(objects=2, containers=20, unit="GiB")
        # h0: 3 · 2 + 10 (j0 once) + 10 (j1) = 26, 6 beyond
        return sample(spec, start=[0, 0, 0], end=[0, 0, 0], hosts=2, dimensions={"memory": memory},
                      jobs={"j0": ["t0", "t1"], "j1": ["t2"]}, value=6.0)  # fmt: skip
