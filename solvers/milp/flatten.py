"""Cells and background of a sparse node as candidates of a reduction."""

from __future__ import annotations

import numpy as np

from models.graph import Node
from models.graph.cells import Array, Cells, as_dense
from models.graph.ops.reduce import Reduction
from solvers.milp.context import Context
from solvers.milp.expression import Expression
from solvers.milp.linear import Indices, Linear

__all__ = ["candidates", "with_background_peak"]


def candidates(ctx: Context, node: Node, child: Expression) -> tuple[Linear, Array, Array, Indices]:
    """All elements of the reduced node with their bounds and targets, those without a target left out."""
    assert isinstance(node.op, Reduction)
    low, high = ctx.node_range(node.children[0], child)
    linear = child.linear
    keys = child.flat
    if child.keys is not None:
        assert child.background is not None
        nowhere = Cells(child.shape, child.background, np.empty(0, np.int64), np.empty(0))
        flat = as_dense(nowhere)
        rest = np.setdiff1d(np.arange(flat.size), child.keys, assume_unique=True)
        linear = Linear.stacked([linear, Linear.constants(flat[rest])])
        low, high = np.concatenate([low, flat[rest]]), np.concatenate([high, flat[rest]])
        keys = np.concatenate([keys, rest])
    return _kept(linear, low, high, node.op.onto.of(child.axis, keys))


def with_background_peak(ctx: Context, node: Node, child: Expression) -> tuple[Linear, Array, Array, Indices]:
    """As `candidates`, but the background only as its largest value for each target: enough for a peak."""
    assert isinstance(node.op, Reduction)
    onto = node.op.onto
    if child.keys is None:
        return candidates(ctx, node, child)
    assert child.background is not None
    background, (rows, columns) = child.background, child.shape
    along = {"rows": 1, "columns": 0}.get(onto.kind)
    uniform = background.size == 1 or (along is not None and background.shape[along] == 1)
    if not uniform:
        return candidates(ctx, node, child)
    low, high = ctx.node_range(node.children[0], child)
    target = onto.of(child.axis, child.keys)
    n = node.axis.size
    elements = {"rows": columns, "columns": rows}.get(onto.kind, rows * columns)
    open_targets = np.flatnonzero(np.bincount(target, minlength=n) < elements)
    values = np.broadcast_to(background.reshape(-1), (n,))[open_targets]
    return (
        Linear.stacked([child.linear, Linear.constants(values)]),
        np.concatenate([low, values]),
        np.concatenate([high, values]),
        np.concatenate([target, open_targets]),
    )


def _kept(linear: Linear, low: Array, high: Array, target: Indices) -> tuple[Linear, Array, Array, Indices]:
    if np.all(target >= 0):
        return linear, low, high, target
    kept = np.flatnonzero(target >= 0)
    return linear.taken(kept), low[kept], high[kept], target[kept]
