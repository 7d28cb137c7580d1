"""Scope items have room for what spills over when others are drained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput, Unsupported
from models.graph import Axis
from models.graph.cells import Array
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.derived import one, rescoped
from specs.dimension import Dimension
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec

__all__ = ["DrainCapacity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainCapacity(LimitSpec):
    """``used(d) + share(e, d) · used(e) ≤ capacity(d)`` for every pair of items e and d.

    Item e is drained, one at a time, and d receives. In the dimension's unit. As a goal: the sum of what is
    beyond.

    Parameters
    ----------
    scope, dimension
        Places and what is summed (one component, the same everywhere).
    spill
        Drained item → {receiving item: share of its usage, 0 to 1}.
    """

    scope: str
    dimension: str
    spill: Mapping[str, Mapping[str, float]]

    def _pairs(self, problem: Problem) -> tuple[list[tuple[int, int]], Array]:
        items = problem.items(self.scope)
        pairs, shares = [], []
        for drained, receivers in self.spill.items():
            for receiver, share in receivers.items():
                if not 0 <= share <= 1:
                    raise InvalidInput(
                        f"drain_capacity: the share of {drained!r} for {receiver!r} lies between 0 and 1, "
                        f"got {share}"
                    )
                if drained == receiver:
                    raise InvalidInput(f"drain_capacity: {drained!r} cannot spill onto itself")
                pairs.append((one(items, drained), one(items, receiver)))
                shares.append(share)
        if not pairs:
            raise InvalidInput("drain_capacity: nothing spills anywhere")
        if problem.weights(self.dimension).n_components != 1 or problem.by_item(self.dimension) is not None:
            raise Unsupported(
                f"drain_capacity: {self.dimension!r} must have one component and not depend on the place"
            )
        return pairs, np.array(shares)

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        problem = c.problem
        pairs, shares = self._pairs(problem)
        items = problem.items(self.scope)
        axis = Axis("spill", len(pairs), [f"{items.labels[e]} onto {items.labels[d]}" for e, d in pairs])
        used = []
        for side in (0, 1):
            rows: list[list[int]] = [[] for _ in range(items.size)]
            for k, pair in enumerate(pairs):
                rows[pair[side]].append(k)
            scope = rescoped(problem, self.scope, axis, rows)
            used.append(c.usage(scope, problem.weights(self.dimension)))
        capacity = measure.capacity(problem, self.scope, self.dimension)[[d for _, d in pairs]]
        yield Limit("room for the spill", c.affine([(used[1], 1.0), (used[0], shares)], -capacity))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        pairs, shares = self._pairs(problem)
        used = measure.usage(problem, self.scope, self.dimension, assignment)
        capacity = measure.capacity(problem, self.scope, self.dimension)
        return np.array(
            [used[d] + p * used[e] - capacity[d] for (e, d), p in zip(pairs, shares.tolist(), strict=True)]
        )

    def describe(self) -> str:
        return f"every {self.scope} has room for the {self.dimension} that spills onto it"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", dimension="load", spill={"h0": {"h1": 0.5}, "h1": {"h0": 1.0}})
        load = Dimension(objects=[6, 4], containers=8)
        # h0 drained: 4 + 3 = 7 on h1; h1 drained: 6 + 4 = 10 on h0, 2 beyond
        return sample(spec, start=[0, 1], end=[0, 1], hosts=2, dimensions={"load": load}, value=2.0)
