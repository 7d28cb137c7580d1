"""Blocks of amounts that have prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.graph import StaticWeights
from models.graph.cells import Array, Cells
from models.graph.evaluate import Evaluator
from models.graph.ops import Usage
from solvers.bounds.separable import Inner, Part
from solvers.milp.linear import Indices

__all__ = ["Block", "block_of", "lattice_of", "levelled"]


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """Amounts of some cells of an axis.

    ``cells``: int64[K]; ``scale``: typical size of an amount; ``tie``: int64[K], equal cells have one number;
    ``now``: float64[K], amounts at a known assignment.
    """

    inner: Inner
    cells: Indices
    scale: float
    tie: Indices
    now: Array

    def averaged(self, x: Array) -> Array:
        """Means over equal cells."""
        sums = np.bincount(self.tie, x) / np.maximum(np.bincount(self.tie), 1)
        return np.asarray(sums[self.tie])

    def amounts(self, used: dict[int, Array], missing: Array | None) -> Array:
        """float64[K] for the values of all leaves; `missing`: what is to be added to the first leaf."""
        out = self.inner.constant[self.cells].copy()
        for k, (leaf, coefficient) in enumerate(self.inner.leaves):
            value = used[leaf.index] if missing is None or k else used[leaf.index] + missing
            out += coefficient[self.cells] * value[self.cells]
        return out


def block_of(inner: Inner, cells: Indices, evaluator: Evaluator, alike: Sequence[Array]) -> Block:
    """`alike`: further parameters, float64[K] each, that equal cells share."""
    used = {}
    for leaf, _ in inner.leaves:
        value = evaluator.value(leaf)
        assert not isinstance(value, Cells)
        used[leaf.index] = value
    columns = [inner.constant[cells], *(c[cells] for _, c in inner.leaves), *alike]
    tie = np.unique(np.stack(columns), axis=1, return_inverse=True)[1].reshape(-1).astype(np.int64)
    made = Block(inner, cells, 1.0, tie, np.empty(0))
    now = made.amounts(used, None)
    scale = float(np.abs(now).mean()) if now.size else 0.0
    return Block(inner, cells, scale or 1.0, tie, now)


def lattice_of(part: Part) -> Array:
    """float64[K]: what each amount, less its constant, is a multiple of; 0 where nothing is known."""
    nothing = np.zeros(part.cells.size)
    if len(part.inner.leaves) != 1:
        return nothing
    node, coefficient = part.inner.leaves[0]
    assert isinstance(node.op, Usage)
    weights = node.op.weights
    if (
        not isinstance(weights, StaticWeights)
        or not weights.integral
        or np.abs(weights.values).max() > 2.0**52
    ):
        return nothing
    divisor = np.gcd.reduce(np.abs(weights.values).astype(np.int64), axis=0)
    return np.asarray(np.abs(coefficient[part.cells]) * divisor[part.cells % weights.n_components])


def levelled(block: Block, slope: Array) -> Array:
    """One price for every unit of the first leaf: the median of the slopes, where amounts are above 0."""
    if not block.inner.leaves or not slope.size:
        return slope
    coefficient = block.inner.leaves[0][1][block.cells]
    by_unit = slope * coefficient
    middle = float(np.median(by_unit))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(coefficient != 0, middle / coefficient, 0.0)
