"""Free capacity that is not in usable bundles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph import Node
from models.graph.ops.unary import Ceiling
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import Dimension
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Spec

__all__ = ["Fragmentation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragmentation(Spec):
    """``Σ_b Σ_s (free(s) − b · ⌊free(s) / b⌋)`` with ``free(s) = max(0, capacity(s) − used(s))``.

    What is left over on each item when its free capacity is cut into bundles of size b, over the bundle sizes
    asked for, in the dimension's unit: free GPUs that no instance of that size can use.

    Parameters
    ----------
    scope, dimension
        Places and what is free there.
    bundles
        Sizes, above 0.
    """

    scope: str
    dimension: str
    bundles: tuple[float, ...]

    def __post_init__(self) -> None:
        _positive(self.bundles)

    def goal(self, c: Compiler) -> Node:
        capacity = measure.capacity(c.problem, self.scope, self.dimension)
        free = c.positive(c.affine([(c.used(self.scope, self.dimension), -1.0)], capacity))
        # ⌊x⌋ = −⌈−x⌉
        stranded = [
            c.affine([(free, 1.0), (c.node(Ceiling(), c.scaled(free, -1.0 / b)), b)]) for b in self.bundles
        ]
        return c.total(c.added(stranded))

    def check(self, problem: Problem, assignment: Ints) -> float:
        capacity = measure.capacity(problem, self.scope, self.dimension)
        free = np.maximum(0.0, capacity - measure.usage(problem, self.scope, self.dimension, assignment))
        return float(sum((free - b * np.floor(free / b + 1e-9)).sum() for b in self.bundles))

    def describe(self) -> str:
        sizes = ", ".join(f"{b:g}" for b in self.bundles)
        return f"free {self.dimension} on {self.scope} is in bundles of {sizes}"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", dimension="gpu", bundles=(4, 8))
        gpu = Dimension(objects=[3, 2], containers=8)
        # free: 5 and 6; left over in bundles of 4: 1 + 2, of 8: 5 + 6
        return sample(spec, start=[0, 0], end=[0, 1], hosts=2, dimensions={"gpu": gpu}, value=14.0)


def _positive(bundles: Sequence[float]) -> None:
    if not bundles or not all(np.isfinite(b) and b > 0 for b in bundles):
        raise InvalidInput(f"fragmentation: bundles are sizes above 0, got {list(bundles)}")
