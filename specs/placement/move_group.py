"""A scope item holds all of a group, or nothing of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.graph.cells import Array
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT
from specs.parameters import chosen
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec

__all__ = ["MoveGroup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveGroup(LimitSpec):
    """``[n(g, s) > 0] · (size(g) − n(g, s)) ≤ 0`` for every group g and item s; n counts objects of g on s.

    As a goal: the objects that are missing where their group is, over all items.

    Parameters
    ----------
    scope, partition
        Places and groups.
    groups
        Only these; None: all.
    """

    scope: str
    partition: str
    groups: tuple[str, ...] | None = None

    def _sizes(self, problem: Problem) -> tuple[Array, Array]:
        kept = chosen(self.groups, problem.groups(self.partition), "move_group: groups")
        sizes = problem.partition(self.partition).group_sizes.astype(np.float64)
        return sizes.reshape(-1, 1), kept.reshape(-1, 1)

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        sizes, kept = self._sizes(c.problem)
        count = c.used_by_group(self.partition, self.scope, COUNT)
        yield Limit("all or nothing", c.where(c.affine([(count, -kept)], sizes * kept), count))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        sizes, kept = self._sizes(problem)
        count = measure.usage_by_group(problem, self.partition, self.scope, COUNT, assignment)
        return np.asarray(np.where(count > 0, (sizes - count) * kept, 0.0).reshape(-1))

    def describe(self) -> str:
        return f"every {self.partition} is on one {self.scope} as a whole"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", partition="job")
        # j0 is split: one of three is missing on h0, two on h1
        return sample(spec, start=[0, 0, 0], end=[0, 0, 1], hosts=2,
                      jobs={"j0": ["t0", "t1", "t2"]}, value=3.0)  # fmt: skip
