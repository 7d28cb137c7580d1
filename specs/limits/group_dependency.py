"""Where one group is, another must be too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph import Axis
from models.graph.cells import Array
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.derived import one, regrouped
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec

__all__ = ["GroupDependency"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDependency(LimitSpec):
    """``[g has an object on s] − [h has an object on s] ≤ 0`` for every item s where g depends on h.

    As a goal: the number of (dependency, item) pairs that lack the needed group.

    Parameters
    ----------
    scope, partition
        Places and groups.
    dependencies
        Group → the groups it depends on.
    """

    scope: str
    partition: str
    dependencies: Mapping[str, tuple[str, ...]]

    def _pairs(self, problem: Problem) -> list[tuple[int, int]]:
        groups = problem.groups(self.partition)
        pairs = [(one(groups, g), one(groups, h)) for g, needed in self.dependencies.items() for h in needed]
        if not pairs:
            raise InvalidInput("group_dependency: there are no dependencies")
        return pairs

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        problem = c.problem
        pairs, labels = self._pairs(problem), problem.groups(self.partition).labels
        axis = Axis("dependency", len(pairs), [f"{labels[g]} on {labels[h]}" for g, h in pairs])
        ones = np.ones(problem.objects.size)
        there = [
            c.present(
                c.group_usage(
                    regrouped(problem, self.partition, axis, [pair[side] for pair in pairs]),
                    problem.scope(self.scope),
                    ones,
                )
            )
            for side in (0, 1)
        ]
        yield Limit("needed group is there", c.affine([(there[0], 1.0), (there[1], -1.0)]))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        there = measure.members(problem, self.partition).astype(int) @ measure.inside(
            problem, self.scope, assignment
        ).astype(int)
        present = (there > 0).astype(np.float64)
        return np.concatenate([present[g] - present[h] for g, h in self._pairs(problem)])

    def describe(self) -> str:
        return f"where a {self.partition} is on {self.scope}, those it depends on are too"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="rack", partition="job", dependencies={"j0": ("j1",)})
        # j0 is in r0 and r1, j1 only in r0
        return sample(spec, start=[0, 1, 0], end=[0, 1, 0], hosts=2, racks=[0, 1],
                      jobs={"j0": ["t0", "t1"], "j1": ["t2"]}, value=1.0)  # fmt: skip
