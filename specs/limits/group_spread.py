"""A group is spread over at least so many scope items."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.graph.cells import Array
from models.graph.ops.reduce import ROWS
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT
from specs.parameters import chosen
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec
from specs.values import Numbers, complete

__all__ = ["GroupSpread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSpread(LimitSpec):
    """``|{s : used(g, s) > 0}| ≥ least(g)`` for every group g: it is on so many distinct items of the scope.

    As a goal: the number of items that are missing, over all groups.

    Parameters
    ----------
    scope, partition
        Places and groups.
    least
        How many distinct items: one number, or by group.
    dimension
        A group is on an item when it uses any of this there; by default when it has an object there.
    groups
        Only these; None: all.
    """

    scope: str
    partition: str
    least: Numbers
    dimension: str = COUNT
    groups: tuple[str, ...] | None = None

    def _least(self, problem: Problem) -> Array:
        return complete(self.least, problem.groups(self.partition), "group_spread: least")

    def _kept(self, problem: Problem) -> Array:
        return chosen(self.groups, problem.groups(self.partition), "group_spread: groups")

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        kept = self._kept(c.problem)
        on = c.total(c.present(c.used_by_group(self.partition, self.scope, self.dimension)), ROWS)
        yield Limit("distinct items", c.affine([(on, -kept)], self._least(c.problem) * kept))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        used = measure.usage_by_group(problem, self.partition, self.scope, self.dimension, assignment)
        return np.asarray((self._least(problem) - (used > 1e-9).sum(axis=1)) * self._kept(problem))

    def describe(self) -> str:
        return f"every {self.partition} is on enough distinct items of {self.scope}"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="rack", partition="job", least={"j0": 2, "j1": 1})
        # j0 has both tasks in r0 and needs one more rack
        return sample(spec, start=[0, 1, 2], end=[0, 1, 2], hosts=3, racks=[0, 0, 1],
                      jobs={"j0": ["t0", "t1"], "j1": ["t2"]}, value=1.0)  # fmt: skip
