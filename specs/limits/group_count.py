"""How much of each group each scope item may hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph.cells import Array
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT
from specs.parameters import Bound, CellNumbers, Counted, cell_numbers, chosen
from specs.problem import Problem
from specs.spec import Example, Limit, LimitSpec
from specs.values import Numbers

__all__ = ["GroupCount"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCount(LimitSpec):
    """``used(g, s) ≤ L(g, s)`` (max), ``≥`` (min) or both (exact) for every group g and scope item s.

    used(g, s) is the sum of the dimension over the objects of g that count for s; with the default dimension
    their number. L is the entry of `cell_limits`, else `item_limits`, else `group_limits`, else `limit`. As a
    goal: the sum of what is beyond, in the dimension's unit.

    Parameters
    ----------
    scope, partition
        Places and groups: "at most 1 task of a job per rack" is scope rack, partition job, limit 1.
    limit
        For all pairs without a more specific one, in the dimension's unit.
    group_limits, item_limits, cell_limits
        For single groups, items, and pairs (group → {item: limit}).
    dimension
        What is summed; the number of objects by default.
    bound
        ``max``, ``min`` or ``exact``.
    counted
        Which objects count for a place.
    groups, items
        Only these; None: all.
    unless_empty
        For ``min``: a group that has nothing on an item need not reach the limit there.
    """

    scope: str
    partition: str
    limit: float = 1.0
    group_limits: Numbers | None = None
    item_limits: Numbers | None = None
    cell_limits: CellNumbers | None = None
    dimension: str = COUNT
    bound: Bound = "max"
    counted: Counted = "after"
    groups: tuple[str, ...] | None = None
    items: tuple[str, ...] | None = None
    unless_empty: bool = False

    def __post_init__(self) -> None:
        if not np.isfinite(self.limit):
            raise InvalidInput(f"group_count: the limit must be a finite number, got {self.limit}")
        if self.unless_empty and self.bound != "min":
            raise InvalidInput("group_count: unless_empty belongs to the bound 'min'")

    def _limits(self, problem: Problem) -> Array:
        groups, items = problem.groups(self.partition), problem.items(self.scope)
        return cell_numbers(groups, items, self.limit, self.group_limits, self.item_limits, self.cell_limits,
                            "group_count: limits")  # fmt: skip

    def _kept(self, problem: Problem) -> Array:
        """Broadcastable to (groups, items): 1 for the pairs that are limited."""
        if self.groups is None and self.items is None:
            return np.ones((1, 1))
        groups = chosen(self.groups, problem.groups(self.partition), "group_count: groups")
        items = chosen(self.items, problem.items(self.scope), "group_count: items")
        rows = groups.reshape(-1, 1) if self.groups is not None else np.ones((1, 1))
        return rows * (items.reshape(1, -1) if self.items is not None else np.ones((1, 1)))

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        used = c.used_by_group(self.partition, self.scope, self.dimension, self.counted)
        limits, kept = self._limits(c.problem), self._kept(c.problem)
        if self.bound in ("max", "exact"):
            yield Limit("at most", c.affine([(used, kept)], -limits * kept))
        if self.bound in ("min", "exact"):
            short = c.affine([(used, -kept)], limits * kept)
            yield Limit("at least", c.where(short, used) if self.unless_empty else short)

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        used = measure.usage_by_group(
            problem, self.partition, self.scope, self.dimension, assignment, self.counted
        )
        over = ((used - self._limits(problem)) * self._kept(problem)).reshape(-1)
        under = np.where(used.reshape(-1) > 1e-9, -over, 0.0) if self.unless_empty else -over
        return np.concatenate([over] * (self.bound != "min") + [under] * (self.bound != "max"))

    def describe(self) -> str:
        word = {"max": "at most", "min": "at least", "exact": "exactly"}[self.bound]
        special = any(x is not None for x in (self.group_limits, self.item_limits, self.cell_limits))
        amount = f"{self.limit:.6g}" + (" (or its own limit)" if special else "")
        what = "objects" if self.dimension == COUNT else self.dimension
        return f"every {self.scope} holds {word} {amount} {what} of each {self.partition}"

    @classmethod
    def example(cls) -> Example:
        from specs.entities import Entities

        spec = cls(scope="rack", partition="job")
        problem = Problem(
            objects=Entities(name="task", ids=["t0", "t1", "t2"]),
            containers=Entities(name="host", ids=["h0", "h1", "h2"]),
            assignment={"t0": "h0", "t1": "h1", "t2": "h2"},
            scopes={"rack": {"h0": "r0", "h1": "r0", "h2": "r1"}},
            partitions={"job": {"j0": ["t0", "t1", "t2"]}},
            constraints=[spec],
        )
        # r0 holds t0 and t1 of j0, one more than allowed
        return Example(problem=problem, spec=spec, assignment={"t0": "h0", "t1": "h1", "t2": "h2"}, value=1.0)
