"""A group stays together on few scope items."""

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

__all__ = ["ColocateGroups"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColocateGroups(LimitSpec):
    """``Σ_s weight(s) · [used(g, s) > 0] ≤ most(g)`` for every group g.

    With the default weights of 1: a group is on at most so many distinct items. As a goal: the sum of what is
    beyond, in the unit of the weights.

    Parameters
    ----------
    scope, partition
        Places and groups.
    most
        One number, or by group.
    item_weights
        What it counts to be on an item: one number, or by item.
    dimension
        A group is on an item when it uses any of this there; by default when it has an object there.
    groups
        Only these; None: all.
    """

    scope: str
    partition: str
    most: Numbers = 1.0
    item_weights: Numbers = 1.0
    dimension: str = COUNT
    groups: tuple[str, ...] | None = None

    def _numbers(self, problem: Problem) -> tuple[Array, Array, Array]:
        """Limit of each group, weight of each item, and which groups are meant."""
        groups = problem.groups(self.partition)
        most = complete(self.most, groups, "colocate_groups: most")
        weights = complete(self.item_weights, problem.items(self.scope), "colocate_groups: item_weights")
        return most, weights, chosen(self.groups, groups, "colocate_groups: groups")

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        most, weights, kept = self._numbers(c.problem)
        on = c.present(c.used_by_group(self.partition, self.scope, self.dimension))
        weighted = on if np.all(weights == 1.0) else c.affine([(on, weights.reshape(1, -1))])
        yield Limit("items in use", c.affine([(c.total(weighted, ROWS), kept)], -most * kept))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        most, weights, kept = self._numbers(problem)
        used = measure.usage_by_group(problem, self.partition, self.scope, self.dimension, assignment)
        return np.asarray(((used > 1e-9) @ weights - most) * kept)

    def describe(self) -> str:
        return f"every {self.partition} stays together on few items of {self.scope}"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", partition="job")
        # j0 is on three hosts, two more than one
        return sample(spec, start=[0, 0, 0], end=[0, 1, 2], hosts=3,
                      jobs={"j0": ["t0", "t1", "t2"]}, value=2.0)  # fmt: skip
