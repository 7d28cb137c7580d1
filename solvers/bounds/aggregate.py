"""A bound from totals: what all items hold together is known, however it is spread over them.

Where every object is on exactly one item of a scope and weighs the same everywhere, the sum of the amounts
``a_s`` of a part ``Σ_s w_s f_s(a_s)`` is a constant ``A``. The best spread of that total over the items is a
separable convex problem with one linear row; its Lagrangian dual has one price λ:

    max_λ  λ A + Σ_s min over the range of a_s of (w_s f_s(a_s) − λ a_s)

which no assignment is below, whatever λ. It costs a pass over the items, at any number of objects.
"""

from __future__ import annotations

import numpy as np

from models.graph import AssignmentSpace, Node, StaticWeights
from models.graph.cells import Array
from models.graph.ops import Usage
from solvers.bounds.convex import slopes, touching
from solvers.bounds.separable import Part, Scale, Separable
from solvers.milp.linear import Indices

__all__ = ["aggregate_bound"]

HALVINGS = 60
"""Bisections for the price."""
ROUNDING = 1e-14
"""What adding up may be wrong by, relative to the sum of the terms' sizes."""


def aggregate_bound(space: AssignmentSpace, form: Separable) -> float:
    """Least of a tier in separable form (float), each part over all ways to spread its total.

    Linear terms count with the least value of their leaves.
    """
    bound = form.constant
    size = abs(bound)
    for node, slope in form.linear.values():
        low, high = (np.broadcast_to(x, slope.shape) for x in (node.bounds.low, node.bounds.high))
        ends = np.where(slope >= 0, slope * low, slope * high)
        bound += float(ends.sum())
        size += float(np.abs(ends).sum())
    for part in form.parts:
        value, terms = _part(space, part)
        bound += value
        size += terms
    return bound - ROUNDING * size if np.isfinite(bound) else -np.inf


def _part(space: AssignmentSpace, part: Part) -> tuple[float, float]:
    """Lower bound of one part, and the sum of the sizes of its terms."""
    low, high = (end[part.cells] for end in part.inner.range())
    kinds = _kinds(space, part)
    best, size = 0.0, 0.0
    for cells, total in kinds:
        one = _taken(part, cells)
        value, terms = _spread(one, low[cells], high[cells], total)
        best, size = best + value, size + terms
    return best, size


def _kinds(space: AssignmentSpace, part: Part) -> list[tuple[Indices, float | None]]:
    """Positions among the part's cells whose amounts have one known total, with it; None: no known total."""
    leaves = part.inner.leaves
    totals = [_totals(space, node) for node, _ in leaves]
    sums = [t for t in totals if t is not None]
    width = sums[0].size if sums else 1
    if len(sums) < len(leaves) or not leaves or any(t.size != width for t in sums):
        return [(np.arange(part.cells.size), None)]
    component = part.cells % width
    out: list[tuple[Indices, float | None]] = []
    for j in range(width):
        mine = np.flatnonzero(component == j)
        whole = leaves[0][0].axis.size // width
        factors = [c[part.cells[mine]] for _, c in leaves]
        known = mine.size == whole and all(f.size and np.all(f == f[0]) for f in factors)
        total = None
        if known:
            constant = float(part.inner.constant[part.cells[mine]].sum())
            total = constant + sum(float(f[0]) * float(t[j]) for f, t in zip(factors, sums, strict=True))
        out.append((mine, total))
    return out


def _totals(space: AssignmentSpace, leaf: Node) -> Array | None:
    """float64[n_components]: what all items hold together, where that is the same for all assignments."""
    op = leaf.op
    if not isinstance(op, Usage) or op.counted != "after" or space.may_be_unassigned.any():
        return None
    scope = op.scope
    if not isinstance(op.weights, StaticWeights) or not np.all(
        np.diff(scope.indptr)[: space.n_containers] == 1
    ):
        return None
    return np.asarray(op.weights.values.sum(axis=0))


def _taken(part: Part, cells: Indices) -> Part:
    """`part` with some of its cells only."""
    steps = tuple(Scale(s.factor[cells], s.shift[cells]) if isinstance(s, Scale) else s for s in part.steps)
    return Part(part.inner, steps, part.cells[cells], part.weight[cells])


def _spread(part: Part, low: Array, high: Array, total: float | None) -> tuple[float, float]:
    """The least of the part: over all amounts in their ranges, or over those that add up to `total`."""
    nothing = np.zeros(low.size)
    if total is None:
        least = touching(part, nothing, low, high, nothing).height
        return float(least.sum()), float(np.abs(least).sum())

    def dual(price: float) -> tuple[float, float, float]:
        slope = np.full(low.size, price)
        touch = touching(part, slope, low, high, nothing)
        terms = touch.height - price * touch.at
        return price * total + float(terms.sum()), total - float(touch.at.sum()), float(np.abs(terms).sum())

    down, up = float(slopes(part, low).min()), float(slopes(part, high).max())
    best, size = -np.inf, 0.0
    for price in (down, 0.0, up):
        value, _, terms = dual(price)
        if value > best:
            best, size = value, terms + abs(price * total)
    for _ in range(HALVINGS):
        price = 0.5 * (down + up)
        value, missing, terms = dual(price)
        if value > best:
            best, size = value, terms + abs(price * total)
        if missing > 0:  # a higher price makes the items take more
            down = price
        else:
            up = price
    return best, size
