"""How many groups may exceed their share of a scope item at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.graph.cells import Array
from models.graph.ops.reduce import COLUMNS
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT
from specs.parameters import cell_numbers
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec
from specs.values import Numbers, complete

__all__ = ["GroupIsolation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupIsolation(LimitSpec):
    """``|{g : used(g, s) > share(g)}| ≤ allowed(s)`` for every scope item s.

    With the default share of 0 and 1 allowed: no two groups on one item. As a goal: the number of groups too
    many, over all items.

    Parameters
    ----------
    scope, partition
        Places and groups.
    share, group_shares
        Up to this much of the dimension a group does not count, in its unit; for single groups.
    allowed
        How many groups may exceed their share: one number, or by item.
    dimension
        What is summed; the number of objects by default.
    """

    scope: str
    partition: str
    share: float = 0.0
    group_shares: Numbers | None = None
    allowed: Numbers = 1.0
    dimension: str = COUNT

    def _numbers(self, problem: Problem) -> tuple[Array, Array]:
        groups, items = problem.groups(self.partition), problem.items(self.scope)
        share = cell_numbers(
            groups, items, self.share, self.group_shares, None, None, "group_isolation: share"
        )
        return share, complete(self.allowed, items, "group_isolation: allowed")

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        share, allowed = self._numbers(c.problem)
        used = c.used_by_group(self.partition, self.scope, self.dimension)
        beyond = c.total(c.present(c.affine([(used, 1.0)], -share)), COLUMNS)
        yield Limit("groups beyond their share", c.affine([(beyond, 1.0)], -allowed))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        share, allowed = self._numbers(problem)
        used = measure.usage_by_group(problem, self.partition, self.scope, self.dimension, assignment)
        return np.asarray((used - share > 1e-9).sum(axis=0) - allowed)

    def describe(self) -> str:
        return f"few {self.partition}s exceed their share of a {self.scope} at once"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", partition="job", share=1.0)
        # on h0 both jobs have two tasks, more than 1; one job may
        return sample(spec, start=[0, 0, 0, 0], end=[0, 0, 0, 0], hosts=2,
                      jobs={"j0": ["t0", "t1"], "j1": ["t2", "t3"]}, value=1.0)  # fmt: skip
