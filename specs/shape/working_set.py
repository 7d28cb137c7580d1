"""How much different material each scope item has to hold: adapters, tables, model weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.errors import InvalidInput
from models.graph import Node
from models.graph.cells import Array
from models.graph.ops.reduce import COLUMNS, Peak
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Spec
from specs.values import Numbers, complete

__all__ = ["WorkingSet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingSet(Spec):
    """``Σ_s W(s)`` (total) or ``max_s W(s)`` (peak) with ``W(s) = Σ_g size(g) · [g has an object on s]``.

    In the unit of the sizes: each group's material is held once on every item where the group is.

    Parameters
    ----------
    scope, partition
        Places and groups.
    sizes
        One number, or by group, at least 0.
    metric
        ``total`` or ``peak``.
    """

    scope: str
    partition: str
    sizes: Numbers = 1.0
    metric: Literal["total", "peak"] = "total"

    def _sizes(self, problem: Problem) -> Array:
        sizes = complete(self.sizes, problem.groups(self.partition), "working_set: sizes")
        if sizes.min() < 0:
            raise InvalidInput(f"working_set: a size is at least 0, got {sizes.min()}")
        return sizes

    def goal(self, c: Compiler) -> Node:
        there = c.present(c.used_by_group(self.partition, self.scope, COUNT))
        held = c.total(c.affine([(there, self._sizes(c.problem).reshape(-1, 1))]), COLUMNS)
        return c.total(held) if self.metric == "total" else c.node(Peak(), held)

    def check(self, problem: Problem, assignment: Ints) -> float:
        there = measure.usage_by_group(problem, self.partition, self.scope, COUNT, assignment) > 0
        held = np.asarray(self._sizes(problem) @ there)
        return float(held.sum() if self.metric == "total" else held.max())

    def describe(self) -> str:
        return f"the {self.metric} of what every {self.scope} holds for the {self.partition}s on it is small"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", partition="job", sizes={"j0": 3, "j1": 5})
        # h0 holds j0 and j1, h1 holds j1
        return sample(spec, start=[0, 0, 0], end=[0, 0, 1], hosts=2,
                      jobs={"j0": ["t0"], "j1": ["t1", "t2"]}, value=13.0)  # fmt: skip
