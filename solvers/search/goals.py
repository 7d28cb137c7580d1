"""Takes goals and constraints apart: into columns, linear costs, group counts, and what remains."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.graph import HARD, Graph, Node
from models.graph.axis import ProductAxis
from models.graph.cells import Array, Cells, Value
from models.graph.evaluate import FEASIBILITY_TOLERANCE, Evaluator
from models.graph.ops.affine import Affine
from models.graph.ops.base import Curvature, full
from models.graph.ops.nary import Maximum
from models.graph.ops.reduce import Peak, Total
from models.graph.ops.unary import (
    Absolute,
    Ceiling,
    PiecewiseLinear,
    PositivePart,
    Power,
    Presence,
    Square,
    Unary,
)
from models.graph.ops.usage import GroupUsage, Usage
from models.graph.weights import StaticWeights
from solvers.search import layout
from solvers.search.columns import Block, Blocks, Term, weight_pair
from solvers.search.grouped import GroupTables, GroupTerm
from solvers.search.pools import Pool

__all__ = ["LinearCost", "Parts", "function_of", "take_apart"]

_TOLERANCE = 0.5 * FEASIBILITY_TOLERANCE
"""Limits are kept a little tighter than the evaluation asks, so that rounding never decides."""


CELL_LIMIT = 50_000_000
"""Largest number of group × item cells for which spread and dependencies are counted."""


@dataclass(slots=True, eq=False)
class LinearCost:
    """``Σ_o gamma[item of o] · weight`` of one tier; weights as in a column."""

    block: Block
    usage: Usage | None
    away: Array
    home: Array
    gamma: Array
    tier: int


@dataclass(slots=True, eq=False)
class Parts:
    """A graph taken apart. `goals`, `limits`: node index → element weights by tier, allowed values."""

    graph: Graph
    start: Evaluator
    blocks: Blocks
    groups: GroupTables
    knots: Pool
    constant: dict[int, Array]
    linear: list[LinearCost] = field(default_factory=list)
    moves: dict[int, Array] = field(default_factory=dict)
    goals: dict[tuple[int, int], Array] = field(default_factory=dict)
    limits: dict[int, Array] = field(default_factory=dict)
    offsets: Array = field(default_factory=lambda: np.zeros(0))


def power_table(exponent: float, excess: float) -> Array:
    """Numbers of ``max(0, x^p − q)`` for the kernels: p, q, q^(1/p), mantissas, exponents, series."""
    n = 1 << layout.POWER_BITS
    m = 1.0 + (np.arange(n) + 0.5) / n
    e = np.arange(-layout.POWER_EXPONENTS, layout.POWER_EXPONENTS + 1, dtype=np.float64)
    series = np.cumprod([(exponent - i) / (i + 1) for i in range(5)])
    with np.errstate(over="ignore"):
        scale = np.exp2(exponent * e)
    head = [exponent, excess, excess ** (1.0 / exponent)]
    return np.concatenate([head, np.column_stack([m**exponent, 1.0 / m]).reshape(-1), scale, series])


def function_of(op: Unary, knots: Pool) -> tuple[int, int]:
    """(kind, where its numbers are) of an elementwise function."""
    plain = {
        PositivePart: layout.POSITIVE_PART,
        Absolute: layout.ABSOLUTE,
        Square: layout.SQUARE,
        Presence: layout.PRESENCE,
        Ceiling: layout.CEILING,
    }
    if type(op) in plain:
        return plain[type(op)], 0
    if isinstance(op, Power):
        return layout.POWER, knots.add(power_table(op.exponent, 0.0))
    assert isinstance(op, PiecewiseLinear)
    return layout.PIECEWISE, knots.add(np.concatenate([[op.x.size], op.x, op.y]))


def take_apart(graph: Graph, start: Evaluator) -> Parts:
    """All goals and hard constraints of `graph` in their cheapest form."""
    constant = {
        n.index: _flat(start.value(n))
        for n in graph.nodes
        if n.curvature is Curvature.CONSTANT and not _sparse(n)
    }
    parts = Parts(graph, start, Blocks(graph.space, constant), GroupTables(), Pool(np.float64), constant)
    parts.offsets = np.zeros(len(graph.tiers))
    for tier, goal in enumerate(graph.tiers):
        for term in goal.terms:
            if term.weight != 0.0:
                _goal(parts, term.node, np.full((), term.weight), tier)
    for constraint in graph.constraints:
        if constraint.enforcement == HARD:
            _limit(parts, constraint.node, constraint.allowance)
    return parts


def _sparse(node: Node) -> bool:
    return isinstance(node.axis, ProductAxis) and node.axis.sparse


def _flat(value: Value) -> Array:
    assert not isinstance(value, Cells)
    return value


def _over(values: Array, node: Node) -> Array:
    """`values` over every element of `node`, flat."""
    return np.ascontiguousarray(full(values, node.axis))


def _goal(parts: Parts, node: Node, gamma: Array, tier: int) -> None:
    """Add ``Σ_e gamma[e] · node[e]`` to `tier`; `gamma` is a scalar, flat, or for a sparse axis 2-D."""
    if not np.any(gamma):
        return
    if node.curvature is Curvature.CONSTANT:
        value = parts.start.value(node)
        dense = value.dense() if isinstance(value, Cells) else value
        parts.offsets[tier] += float(np.sum(_over(gamma, node) * dense))
        return
    op = node.op
    if isinstance(op, Affine):
        parts.offsets[tier] += _constant_sum(op.constant, gamma, node)
        for child, c in zip(node.children, op.coefficients, strict=True):
            _goal(parts, child, gamma * c, tier)
        return
    if isinstance(op, Total):
        _goal(parts, node.children[0], _spread(op, gamma, node.children[0]), tier)
        return
    if isinstance(op, Usage) and op.scope.disjoint:
        _linear(parts, op, _over(gamma, node), tier)
        return
    by_group = gamma.ndim == 2 and gamma.shape[1] == 1
    if (
        by_group
        and isinstance(op, GroupUsage)
        and op.scope.disjoint
        and isinstance(op.weights, StaticWeights)
    ):
        _group_linear(parts, op, gamma[:, 0], tier)
        return
    if isinstance(op, Unary) and _unary(parts, node, gamma, tier):
        return
    key = (node.index, tier)
    parts.goals[key] = parts.goals.get(key, 0.0) + _over(gamma, node)


def _constant_sum(constant: Array, gamma: Array, node: Node) -> float:
    if not np.any(constant):
        return 0.0
    product = constant * gamma
    if product.ndim == 1 and product.size == node.axis.size:
        return float(product.sum())
    return float(product.sum()) * (node.axis.size / product.size)


def _spread(op: Total, gamma: Array, source: Node) -> Array:
    """Weights of the elements of `source` from those of their total."""
    kind, axis = op.onto.kind, source.axis
    if kind == "all":
        return gamma.reshape(1, 1) if _sparse(source) else gamma.reshape(())
    if kind == "map":
        assert op.onto.index is not None
        if gamma.size == 1:
            return np.where(op.onto.index >= 0, gamma.reshape(()), 0.0)
        return np.where(op.onto.index >= 0, gamma[op.onto.index], 0.0)
    assert isinstance(axis, ProductAxis)
    shaped = gamma.reshape(-1, 1) if kind == "rows" else gamma.reshape(1, -1)
    if _sparse(source):
        return shaped
    return np.broadcast_to(shaped, (axis.rows.size, axis.columns.size)).reshape(-1)


def _linear(parts: Parts, op: Usage, gamma: Array, tier: int) -> None:
    block = parts.blocks.block(op.scope)
    n, d = block.n_items, op.weights.n_components
    if not isinstance(op.weights, StaticWeights):
        parts.linear.append(LinearCost(block, op, np.zeros(0), np.zeros(0), gamma, tier))
        return
    here, elsewhere = weight_pair(op.counted)
    same = bool(gamma.size) and bool(np.all(gamma.reshape(n, d) == gamma[:d]))
    everywhere = (
        bool(np.all(np.bincount(op.scope.single, minlength=1) <= 1)) if op.scope.single.min() >= 0 else False
    )
    for j in range(d):
        w = op.weights.values[:, j]
        if same and everywhere and op.counted == "new":
            parts.moves[tier] = parts.moves.get(tier, 0.0) + gamma[j] * w
        else:
            parts.linear.append(
                LinearCost(block, None, elsewhere * w, here * w, gamma.reshape(n, d)[:, j], tier)
            )


def _group_linear(parts: Parts, op: GroupUsage, gamma: Array, tier: int) -> None:
    """Weights that depend on the group only: each object counts for the sum over its groups."""
    assert isinstance(op.weights, StaticWeights)
    n = op.partition.indptr.size - 1
    position, group = op.partition.expand(np.arange(n))
    share = np.bincount(position, np.broadcast_to(gamma, (op.partition.groups.size,))[group], n)
    w = op.weights.values[:, 0] * share
    here, elsewhere = weight_pair(op.counted)
    block = parts.blocks.block(op.scope)
    parts.linear.append(LinearCost(block, None, elsewhere * w, here * w, np.ones(block.n_items), tier))


def _unary(parts: Parts, node: Node, gamma: Array, tier: int) -> bool:
    assert isinstance(node.op, Unary)
    child = node.children[0]
    if _sparse(node):
        group = parts.groups.form(child)
        if group is None:
            return False
        kind, knots = function_of(node.op, parts.knots)
        group.table.terms.append(GroupTerm(kind, knots, tier, group.alpha, group.beta, gamma))
        return True
    form = parts.blocks.form(child)
    if form is None:
        return _power_excess(parts, node, gamma, tier)
    weights = _over(gamma, node).reshape(form.alpha.shape)
    kind, knots = function_of(node.op, parts.knots)
    for j, column in enumerate(form.columns):
        form.block.terms.append(
            Term(column, kind, knots, tier, form.alpha[:, j], form.beta[:, j], weights[:, j])
        )
    return True


def _power_excess(parts: Parts, node: Node, gamma: Array, tier: int) -> bool:
    """``gamma · max(0, c · max(0, x)^p − d)`` with one c > 0 and one d >= 0 wherever x can be positive."""
    inner = node.children[0]
    if not (isinstance(node.op, PositivePart) and isinstance(inner.op, Affine) and len(inner.children) == 1):
        return False
    power = inner.children[0]
    if not isinstance(power.op, Power):
        return False
    form = parts.blocks.form(power.children[0])
    if form is None:
        return False
    c = _over(inner.op.coefficients[0], node).reshape(form.alpha.shape)
    d = -_over(inner.op.constant, node).reshape(form.alpha.shape)
    nothing = (form.alpha == 0) & (form.beta <= 0) & (d >= 0)
    if not np.all((c > 0) & (d >= 0)):
        return False
    weights = np.where(nothing, 0.0, c * _over(gamma, node).reshape(form.alpha.shape))
    levels = [np.unique((d / c)[~nothing[:, j], j]) for j in range(len(form.columns))]
    if any(level.size > 1 for level in levels):
        return False
    for j, column in enumerate(form.columns):
        if levels[j].size:
            q, exponent = float(levels[j][0]), power.op.exponent
            knots = parts.knots.add(power_table(exponent, q))
            form.block.terms.append(
                Term(
                    column, layout.POWER_EXCESS, knots, tier, form.alpha[:, j], form.beta[:, j], weights[:, j]
                )
            )
    return True


# -- constraints -------------------------------------------------------------------------------------------


def _limit(parts: Parts, node: Node, allowance: Value) -> None:
    """Require every element of `node` to be at most `allowance`."""
    smallest = allowance.background if isinstance(allowance, Cells) else np.asarray(allowance)
    if smallest.size == 0 or node.axis.size == 0 or node.bounds.highest <= float(smallest.min()):
        return
    op = node.op
    if not isinstance(allowance, Cells):
        top = np.asarray(allowance, np.float64)
        if isinstance(op, PositivePart) and top.min() >= 0:
            _limit(parts, node.children[0], top)
            return
        if isinstance(op, Maximum):
            for child in node.children:
                _limit(parts, child, top)
            return
        if isinstance(op, Peak) and not _sparse(node.children[0]):
            flat = _over(top, node)
            target = op.onto.of(node.children[0].axis)
            _limit(parts, node.children[0], np.where(target >= 0, flat[target], np.inf))
            return
    values = allowance.values if isinstance(allowance, Cells) else np.asarray(allowance)
    highest = max(float(smallest.max()), float(values.max(initial=0.0)))
    if smallest.min() >= 0 and parts.groups.add_needs(node, highest, CELL_LIMIT):
        return
    if not _sparse(node) and not isinstance(allowance, Cells):
        flat = _over(np.asarray(allowance, np.float64), node)
        if parts.groups.add_least(node, flat, _TOLERANCE, CELL_LIMIT):
            return
    if _sparse(node):
        group = parts.groups.form(node)
        if group is not None and parts.groups.add_limit(group, allowance, _TOLERANCE):
            return
        dense = allowance.dense() if isinstance(allowance, Cells) else _over(np.asarray(allowance), node)
        _keep_limit(parts, node, dense)
        return
    top = _over(allowance.dense() if isinstance(allowance, Cells) else np.asarray(allowance), node)
    form = parts.blocks.form(node)
    if form is None:
        _keep_limit(parts, node, top)
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        slack = np.where(np.isfinite(top), _TOLERANCE * np.maximum(1.0, np.abs(top)), 0.0)
        at = ((top + slack).reshape(form.alpha.shape) - form.beta) / form.alpha
    for j, column in enumerate(form.columns):
        block, alpha = form.block, form.alpha[:, j]
        block.upper[column] = np.where(
            alpha > 0, np.minimum(block.upper[column], at[:, j]), block.upper[column]
        )
        block.lower[column] = np.where(
            alpha < 0, np.maximum(block.lower[column], at[:, j]), block.lower[column]
        )
        block.slope[column] = max(block.slope[column], float(np.abs(alpha).mean()))


def _keep_limit(parts: Parts, node: Node, top: Array) -> None:
    top = np.asarray(top, np.float64)
    slack = np.where(np.isfinite(top), _TOLERANCE * np.maximum(1.0, np.abs(top)), 0.0)
    allowed = top + slack
    before = parts.limits.get(node.index)
    parts.limits[node.index] = allowed if before is None else np.minimum(before, allowed)
