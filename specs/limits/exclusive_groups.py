"""Groups that may not share a scope item."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph import Axis
from models.graph.cells import Array
from models.graph.ops.reduce import COLUMNS
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.derived import one, regrouped
from specs.dimension import COUNT
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec

__all__ = ["ExclusiveGroups"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusiveGroups(LimitSpec):
    """No two groups that exclude each other are on one scope item.

    Without `pairs`: ``Σ_g [used(g, s) > 0] − 1 ≤ 0`` for every item s, all groups exclude each other. With
    `pairs`: ``[used(a, s) > 0] + [used(b, s) > 0] − 1 ≤ 0`` for every pair (a, b) and item s. As a goal: the
    number of groups too many, or of pairs that meet.

    Parameters
    ----------
    scope, partition
        Places and groups.
    pairs
        Pairs of groups; None: all.
    dimension
        A group is on an item when it uses any of this there; by default when it has an object there.
    """

    scope: str
    partition: str
    pairs: tuple[tuple[str, str], ...] | None = None
    dimension: str = COUNT

    def __post_init__(self) -> None:
        if self.pairs is not None:
            if not self.pairs:
                raise InvalidInput("exclusive_groups: the list of pairs is empty; leave it out to mean all")
            for a, b in self.pairs:
                if a == b:
                    raise InvalidInput(f"exclusive_groups: {a!r} cannot exclude itself")

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        problem = c.problem
        if self.pairs is None:
            there = c.total(c.present(c.used_by_group(self.partition, self.scope, self.dimension)), COLUMNS)
            yield Limit("one group an item", c.affine([(there, 1.0)], -1.0))
            return
        groups = problem.groups(self.partition)
        axis = Axis("pair", len(self.pairs), [f"{a} and {b}" for a, b in self.pairs])
        weights = problem.weights_on(self.scope, self.dimension)
        sides = [
            regrouped(problem, self.partition, axis, [one(groups, pair[side]) for pair in self.pairs])
            for side in (0, 1)
        ]
        on = [c.present(c.group_usage(side, problem.scope(self.scope), weights)) for side in sides]
        yield Limit("apart", c.affine([(on[0], 1.0), (on[1], 1.0)], -1.0))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        used = measure.usage_by_group(problem, self.partition, self.scope, self.dimension, assignment)
        there = (used > 1e-9).astype(np.float64)
        if self.pairs is None:
            return np.asarray(there.sum(axis=0) - 1.0)
        groups = problem.groups(self.partition)
        rows = [[groups.members(a)[0], groups.members(b)[0]] for a, b in self.pairs]
        return np.concatenate([there[pair].sum(axis=0) - 1.0 for pair in rows])

    def describe(self) -> str:
        which = "different" if self.pairs is None else "excluding"
        return f"no {self.scope} holds {which} {self.partition}s together"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", partition="job", pairs=(("j0", "j2"),))
        # j0 meets j2 on h0; j0 and j1 may meet on h1
        return sample(spec, start=[0, 1, 1, 0], end=[0, 1, 1, 0], hosts=2,
                      jobs={"j0": ["t0", "t1"], "j1": ["t2"], "j2": ["t3"]}, value=1.0)  # fmt: skip
