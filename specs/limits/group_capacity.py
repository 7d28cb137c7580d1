"""How much a group has, over all scope items together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.errors import InvalidInput
from models.graph import Node
from models.graph.cells import Array
from models.graph.ops.reduce import ROWS, Onto
from models.graph.ops.unary import Ceiling
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT
from specs.parameters import Bound, Counted
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec
from specs.values import Numbers, complete

__all__ = ["GroupCapacity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCapacity(LimitSpec):
    """``Σ_s weight(s) · f(used(g, s)) ≤ limit(g)`` (max), ``≥`` (min) or both (exact) for every group g.

    f(x) is ``x`` (amount), ``[x > 0]`` (presence), ``⌈x / bundle⌉`` (bundles) or
    ``⌈x / bundle⌉ · bundle − x`` (incomplete: what is missing to whole bundles). With `parts`, f is taken of
    each part of a group by itself and summed over the group's parts. As a goal: the sum of what is
    beyond, in the unit of weight · f.

    Parameters
    ----------
    scope, partition
        Places and groups.
    limit
        One number, or by group.
    function
        f: ``amount``, ``presence``, ``bundles`` or ``incomplete``.
    bundle
        Size of a bundle, above 0.
    item_weights
        One number, or by item.
    bound
        ``max``, ``min`` or ``exact``.
    dimension, counted
        What is summed (the number of objects by default), over which objects.
    parts
        A partition without overlaps whose every group lies inside one group of `partition`.
    """

    scope: str
    partition: str
    limit: Numbers
    function: Literal["amount", "presence", "bundles", "incomplete"] = "amount"
    bundle: float = 1.0
    item_weights: Numbers = 1.0
    bound: Bound = "max"
    dimension: str = COUNT
    counted: Counted = "after"
    parts: str | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.bundle) and self.bundle > 0):
            raise InvalidInput(f"group_capacity: a bundle is above 0, got {self.bundle}")
        if self.bundle != 1.0 and self.function not in ("bundles", "incomplete"):
            raise InvalidInput(f"group_capacity: the function {self.function!r} takes no bundle")

    def _numbers(self, problem: Problem) -> tuple[Array, Array]:
        limit = complete(self.limit, problem.groups(self.partition), "group_capacity: limit")
        return limit, complete(self.item_weights, problem.items(self.scope), "group_capacity: item_weights")

    def _group_of_part(self, problem: Problem) -> Array:
        """float64[n_parts]: the group each part lies in."""
        assert self.parts is not None
        parts, groups = problem.partition(self.parts), problem.partition(self.partition)
        if not (parts.disjoint and groups.disjoint):
            raise InvalidInput("group_capacity: parts need partitions without overlapping groups")
        out = np.full(parts.groups.size, -1, np.int64)
        inside = parts.single >= 0
        out[parts.single[inside]] = groups.single[inside]
        if np.any(out[parts.single[inside]] != groups.single[inside]) or np.any(out < 0):
            raise InvalidInput(f"group_capacity: some {self.parts} is not inside one {self.partition}")
        return out.astype(np.float64)

    def _of(self, c: Compiler, used: Node) -> Node:
        if self.function == "amount":
            return used
        if self.function == "presence":
            return c.present(used)
        whole = c.node(Ceiling(), c.scaled(used, 1.0 / self.bundle))
        return whole if self.function == "bundles" else c.affine([(whole, self.bundle), (used, -1.0)])

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        problem = c.problem
        limit, weights = self._numbers(problem)
        used = c.used_by_group(self.parts or self.partition, self.scope, self.dimension, self.counted)
        value = self._of(c, used)
        if not np.all(weights == 1.0):
            value = c.affine([(value, weights.reshape(1, -1))])
        total = c.total(value, ROWS)
        if self.parts is not None:
            index = self._group_of_part(problem).astype(np.int64)
            total = c.total(total, Onto("map", index, problem.partition(self.partition).groups))
        if self.bound in ("max", "exact"):
            yield Limit("at most", c.affine([(total, 1.0)], -limit))
        if self.bound in ("min", "exact"):
            yield Limit("at least", c.affine([(total, -1.0)], limit))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        limit, weights = self._numbers(problem)
        used = measure.usage_by_group(
            problem, self.parts or self.partition, self.scope, self.dimension, assignment, self.counted
        )
        whole = np.ceil(used / self.bundle - 1e-9)
        value = {
            "amount": used,
            "presence": (used > 1e-9).astype(np.float64),
            "bundles": whole,
            "incomplete": whole * self.bundle - used,
        }[self.function]
        total = value @ weights
        if self.parts is not None:
            by_group = np.zeros(limit.size)
            for part, group in enumerate(self._group_of_part(problem)):
                by_group[int(group)] += total[part]
            total = by_group
        over = total - limit
        return np.concatenate([over] * (self.bound != "min") + [-over] * (self.bound != "max"))

    def describe(self) -> str:
        word = {"max": "at most", "min": "at least", "exact": "exactly"}[self.bound]
        what = f"{self.dimension} ({self.function})"
        return f"every {self.partition} has {word} its limit of {what} on {self.scope}"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", partition="job", limit=2, function="bundles", bundle=2)
        # j0: 3 tasks on h0 fill 2 bundles of 2, 1 on h1 another; 3 bundles, 1 beyond
        return sample(spec, start=[0, 0, 0, 1], end=[0, 0, 0, 1], hosts=2,
                      jobs={"j0": ["t0", "t1", "t2", "t3"]}, value=1.0)  # fmt: skip
