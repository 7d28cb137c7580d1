"""Where the cost of a goal tier arises: its share at each container."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from models.graph import Node, Scope
from models.graph.axis import Axis, ProductAxis
from models.graph.cells import Array, Cells, as_dense, at_keys
from models.graph.ops import Affine, GroupUsage, Peak, Total, Usage
from solvers.lns.incumbent import Incumbent
from solvers.milp.linear import Indices

__all__ = ["container_costs", "scopes_of"]

_WeightOf: TypeAlias = Callable[[Indices], Array]
"""From flat indices of elements to what one unit there adds to the tier."""


def scopes_of(incumbent: Incumbent) -> dict[Axis, Scope]:
    """The scopes the graph's leaves look at, by the axis of their items."""
    out: dict[Axis, Scope] = {}
    for node in incumbent.nodes:
        if isinstance(node.op, (Usage, GroupUsage)):
            out.setdefault(node.op.scope.items, node.op.scope)
    return out


def container_costs(incumbent: Incumbent, tier: int) -> Array:
    """float64[n_containers]: what the elements of each container add to `tier` above their least value.

    Sums, affine combinations and peaks are followed down to the first other operation (or leaf); the value of
    each of its elements counts for the containers of its scope item, in equal parts.
    """
    cost = np.zeros(incumbent.graph.space.n_containers)
    scopes = scopes_of(incumbent)
    for term in incumbent.graph.tiers[tier].terms:
        weight = term.weight

        def constant(keys: Indices, weight: float = weight) -> Array:
            return np.full(keys.size, weight)

        pending: list[tuple[Node, _WeightOf]] = [(term.node, constant)]
        while pending:
            node, weight_of = pending.pop()
            inner = _inside(incumbent, node, weight_of)
            if inner is None:
                _spread(incumbent, node, weight_of, scopes, cost)
            else:
                pending.extend(inner)
    return cost


def _inside(incumbent: Incumbent, node: Node, weight_of: _WeightOf) -> list[tuple[Node, _WeightOf]] | None:
    """The children that stand for `node` with their weights; None where the value itself counts."""
    op = node.op
    if isinstance(op, Affine):
        return [
            (child, _scaled(weight_of, coefficient, node))
            for child, coefficient in zip(node.children, op.coefficients, strict=True)
        ]
    if isinstance(op, (Total, Peak)):
        child = node.children[0]
        reached = as_dense(incumbent.value(node))
        value = incumbent.value(child)

        def of_target(keys: Indices) -> Array:
            target = op.onto.of(child.axis, keys)
            weight = np.where(target >= 0, weight_of(np.maximum(target, 0)), 0.0)
            if isinstance(op, Peak):
                mine = value.at(keys) if isinstance(value, Cells) else value[keys]
                weight = np.where(mine >= reached[np.maximum(target, 0)], weight, 0.0)
            return weight

        return [(child, of_target)]
    return None


def _scaled(weight_of: _WeightOf, coefficient: Array, node: Node) -> _WeightOf:
    def scaled(keys: Indices) -> Array:
        if coefficient.size == 1:
            return weight_of(keys) * float(coefficient.reshape(-1)[0])
        if isinstance(node.axis, ProductAxis) and coefficient.ndim == 2:
            shape = node.axis.rows.size, node.axis.columns.size
            return weight_of(keys) * at_keys(coefficient, keys, shape)
        return weight_of(keys) * coefficient[keys]

    return scaled


def _spread(
    incumbent: Incumbent, node: Node, weight_of: _WeightOf, scopes: dict[Axis, Scope], cost: Array
) -> None:
    """Add what the elements of `node` cost to the containers of their scope items."""
    value = incumbent.value(node)
    if isinstance(value, Cells):
        keys, amount = value.keys, value.values
    else:
        keys, amount = np.arange(node.axis.size), value
    axis, item = node.axis, keys
    if isinstance(axis, ProductAxis):
        # group × item, or item × component
        rows, columns = np.divmod(keys, axis.columns.size)
        axis, item = (axis.columns, columns) if axis.columns in scopes else (axis.rows, rows)
    if axis not in scopes:
        return
    scope = scopes[axis]
    of_item = np.bincount(item, weight_of(keys) * (amount - node.bounds.lowest), axis.size)
    size = np.bincount(scope.indices, minlength=axis.size)
    container, at = scope.expand(np.arange(cost.size))
    np.add.at(cost, container, of_item[at] / np.maximum(size[at], 1))
