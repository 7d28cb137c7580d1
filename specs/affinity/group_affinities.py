"""Groups that want a certain amount on certain places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph import Node
from models.graph.cells import Array
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT
from specs.parameters import CellNumbers, cell_numbers
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Spec

__all__ = ["GroupAffinities"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAffinities(Spec):
    """``Σ_(g, s) weight(g, s) · max(0, target(g, s) − used(g, s))`` over the listed groups g and items s.

    In the dimension's unit times that of the weights.

    Parameters
    ----------
    scope, partition
        Places and groups.
    targets
        Group → {item: wanted amount, above 0}.
    weights
        Group → {item: weight, at least 0}; 1 where not listed.
    dimension
        What is summed; the number of objects by default.
    """

    scope: str
    partition: str
    targets: CellNumbers
    weights: CellNumbers | None = None
    dimension: str = COUNT

    def _tables(self, problem: Problem) -> tuple[Array, Array]:
        groups, items = problem.groups(self.partition), problem.items(self.scope)
        if not any(self.targets.values()):
            raise InvalidInput("group_affinities: there are no targets")
        targets = cell_numbers(groups, items, 0.0, None, None, self.targets, "group_affinities: targets")
        weights = cell_numbers(groups, items, 1.0, None, None, self.weights, "group_affinities: weights")
        listed = cell_numbers(
            groups, items, 0.0, None, None,
            {g: dict.fromkeys(row, 1.0) for g, row in self.targets.items()}, "group_affinities: targets",
        )  # fmt: skip
        if weights.min() < 0 or np.any((targets <= 0) & (listed > 0)):
            raise InvalidInput("group_affinities: targets are above 0 and weights at least 0")
        return targets, weights * listed

    def goal(self, c: Compiler) -> Node:
        targets, weights = self._tables(c.problem)
        used = c.used_by_group(self.partition, self.scope, self.dimension)
        # the weight inside: cells that are not listed are 0 whatever is there
        return c.total(c.positive(c.affine([(used, -weights)], targets * weights)))

    def check(self, problem: Problem, assignment: Ints) -> float:
        used = measure.usage_by_group(problem, self.partition, self.scope, self.dimension, assignment)
        groups, items = problem.groups(self.partition), problem.items(self.scope)
        total = 0.0
        for group, row in self.targets.items():
            for item, target in row.items():
                weight = (self.weights or {}).get(group, {}).get(item, 1.0)
                total += weight * max(0.0, target - used[groups.members(group)[0], items.members(item)[0]])
        return float(total)

    def describe(self) -> str:
        return f"{self.partition}s have what they want on {self.scope}"

    @classmethod
    def example(cls) -> Example:
        spec = cls(
            scope="host", partition="job", targets={"j0": {"h0": 2, "h1": 1}}, weights={"j0": {"h0": 3}}
        )
        # one of j0 is missing on h0; h1 has enough
        return sample(spec, start=[0, 0], end=[0, 1], hosts=2, jobs={"j0": ["t0", "t1"]}, value=3.0)
