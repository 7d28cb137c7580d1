"""Lower bounds of the goal tiers that take no solving: search stops as soon as it reaches them."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from models.graph import AssignmentSpace, Graph, StaticWeights
from models.graph.cells import Array
from models.graph.ops import Usage
from solvers.bounds.aggregate import aggregate_bound
from solvers.bounds.lower import interval_bounds
from solvers.bounds.separable import separated

__all__ = ["immediate_bounds"]

ROUNDING = 1e-14
"""What adding up may be wrong by, relative to the sum of the terms' sizes."""


def immediate_bounds(graph: Graph) -> list[float]:
    """For each tier the best of three bounds, all over all assignments, limits left aside.

    The intervals of the nodes let an object count on every item at once. Where a tier is a weighted sum of
    usage, each object counts where it is cheapest instead: exact for goals such as placing as much as
    possible. Convex functions of usages have the bound of `solvers.bounds.aggregate`.
    """
    bounds = interval_bounds(graph)
    for level, tier in enumerate(graph.tiers):
        form = separated((t.node, t.weight) for t in tier.terms)
        if form.parts:
            bounds[level] = max(bounds[level], aggregate_bound(graph.space, form))
        if form.parts or not form.linear:
            continue
        leaves = [(node.op, slope) for node, slope in form.linear.values()]
        parts = [_least(graph.space, op, slope) for op, slope in leaves if isinstance(op, Usage)]
        least = form.constant + sum(value for value, _ in parts)
        rounding = ROUNDING * (abs(form.constant) + sum(size for _, size in parts))
        bounds[level] = max(bounds[level], float(least - rounding))
    return bounds


def _least(space: AssignmentSpace, leaf: Usage, slope: Array) -> tuple[float, float]:
    """Least of ``Σ slope · leaf``, and the sum of the sizes of its terms.

    Minus infinity for leaves that depend on where objects started and for weights that depend on the item.
    """
    if leaf.counted != "after" or not isinstance(leaf.weights, StaticWeights):
        return -np.inf, 0.0
    scope, weights = leaf.scope, leaf.weights.values
    shape = (space.n_containers + 1, scope.items.size)
    inside = sparse.csr_array((np.ones(scope.indices.size), scope.indices, scope.indptr), shape=shape)
    price = np.asarray(inside @ slope.reshape(scope.items.size, -1))[: space.n_containers]
    low, high = price.min(axis=0), price.max(axis=0)
    each = np.where(weights >= 0, weights * low, weights * high)
    each[space.may_be_unassigned] = np.minimum(each[space.may_be_unassigned], 0.0)
    return float(each.sum()), float(np.abs(each).sum())
