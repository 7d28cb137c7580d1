"""The largest group on each scope item, added up."""

from __future__ import annotations

from dataclasses import dataclass

from models.graph import Node
from models.graph.ops.reduce import COLUMNS, Peak
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import COUNT
from specs.parameters import chosen
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Spec

__all__ = ["SumOfMax"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SumOfMax(Spec):
    """``Σ_s max_g used(g, s)`` over scope items s and groups g, in the dimension's unit.

    What has to be held in reserve when the largest group of every item may be lost.

    Parameters
    ----------
    scope, partition
        Places and groups.
    dimension
        What is summed; the number of objects by default.
    items
        Only these items; None: all.
    """

    scope: str
    partition: str
    dimension: str = COUNT
    items: tuple[str, ...] | None = None

    def goal(self, c: Compiler) -> Node:
        used = c.used_by_group(self.partition, self.scope, self.dimension)
        kept = chosen(self.items, c.problem.items(self.scope), "sum_of_max: items")
        return c.total(c.affine([(c.node(Peak(COLUMNS), used), kept)]))

    def check(self, problem: Problem, assignment: Ints) -> float:
        used = measure.usage_by_group(problem, self.partition, self.scope, self.dimension, assignment)
        return float(used.max(axis=0) @ chosen(self.items, problem.items(self.scope), "sum_of_max: items"))

    def describe(self) -> str:
        return f"the largest {self.partition} on every {self.scope} has little {self.dimension}"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", partition="job")
        # h0: j0 has 2; h1: j1 has 1
        return sample(spec, start=[0, 0, 0, 0], end=[0, 0, 0, 1], hosts=2,
                      jobs={"j0": ["t0", "t1"], "j1": ["t2", "t3"]}, value=3.0)  # fmt: skip
