"""A goal tier as convex functions of single amounts, each linear in the assignment, plus a linear rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from models.graph import HARD, Cells, Graph, Node
from models.graph.cells import Array, is_sparse
from models.graph.ops import Affine, Ceiling, Presence, Total, Usage
from models.graph.ops.base import Curvature, full
from models.graph.ops.unary import TOLERANCE, Unary
from solvers.milp.linear import Indices

__all__ = ["Inner", "Part", "Scale", "Separable", "hard_rows", "inner_of", "separated"]


@dataclass(frozen=True, eq=False, slots=True)
class Scale:
    """The step ``factor · x + shift``, elementwise."""

    factor: Array
    shift: Array


@dataclass(frozen=True, eq=False, slots=True)
class Inner:
    """``Σ coefficient · leaf + constant`` for each cell of one axis.

    ``leaves``: usage leaves with their coefficients, float64[n_cells]; ``constant``: float64[n_cells].
    """

    leaves: tuple[tuple[Node, Array], ...]
    constant: Array

    def range(self) -> tuple[Array, Array]:
        """Smallest and largest value of each cell, by the leaves' own bounds."""
        low, high = self.constant.copy(), self.constant.copy()
        for node, c in self.leaves:
            a, b = full(node.bounds.low, node.axis), full(node.bounds.high, node.axis)
            low += np.where(c >= 0, c * a, c * b)
            high += np.where(c >= 0, c * b, c * a)
        return low, high


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """``Σ_k weight_k · f_k(a_k)`` with every f_k convex and weight_k above 0.

    ``cells``: int64[K], which cells of the inner axis take part; ``steps``: f as operations, innermost first.
    """

    inner: Inner
    steps: tuple[Unary | Scale, ...]
    cells: Indices
    weight: Array

    def parameters(self) -> list[Array]:
        """float64[K] each: what makes f_k differ from cell to cell."""
        scales = [s for s in self.steps if isinstance(s, Scale)]
        return [x for s in scales for x in (s.factor, s.shift)]


@dataclass(eq=False, slots=True)
class Separable:
    """``constant + Σ_leaf slope · leaf + Σ parts``: never more than the tier, whatever the assignment.

    What has no such form (peaks, groups) enters with its least value. ``linear``: leaf index → leaf, slopes.
    """

    constant: float = 0.0
    linear: dict[int, tuple[Node, Array]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)


def separated(terms: Iterable[tuple[Node, float]]) -> Separable:
    """The separable form of ``Σ weight · node`` over scalar nodes."""
    out = Separable()
    for node, weight in terms:
        _descend(out, node, np.full(node.axis.size, float(weight)))
    return out


def _descend(out: Separable, node: Node, weight: Array) -> None:
    """Add ``Σ weight_k · node_k``; the weights of one cell may have either sign."""
    if not np.any(weight):
        return
    op = node.op
    if node.curvature is not Curvature.CONSTANT and not any(is_sparse(c.axis) for c in node.children):
        if isinstance(op, Usage):
            known = out.linear.get(node.index)
            out.linear[node.index] = (node, weight if known is None else known[1] + weight)
            return
        if isinstance(op, Affine):
            out.constant += float(weight @ full(op.constant, node.axis))
            for child, c in zip(node.children, op.coefficients, strict=True):
                _descend(out, child, weight * full(c, node.axis))
            return
        if isinstance(op, Total):
            target = op.onto.of(node.children[0].axis)
            _descend(out, node.children[0], np.where(target >= 0, weight[target], 0.0))
            return
        if isinstance(op, Unary):
            _unary(out, node, op, weight)
            return
    _interval(out, node, weight)


def _interval(out: Separable, node: Node, weight: Array) -> None:
    low, high = full(node.bounds.low, node.axis), full(node.bounds.high, node.axis)
    out.constant += float(np.where(weight >= 0, weight * low, weight * high).sum())


def _unary(out: Separable, node: Node, op: Unary, weight: Array) -> None:
    above = np.maximum(weight, 0.0)
    _interval(out, node, np.minimum(weight, 0.0))
    if isinstance(op, (Presence, Ceiling)):
        # lines under them: (x − tolerance) / highest, and x − tolerance
        child = node.children[0]
        high = full(child.bounds.high, child.axis)
        slope = above
        if isinstance(op, Presence):
            slope = np.where(high > TOLERANCE, above / np.maximum(high, TOLERANCE), 0.0)
        out.constant -= TOLERANCE * float(slope.sum())
        _descend(out, child, slope)
        return
    chain = _chain(node) if node.curvature.is_convex else None
    if chain is None:
        _interval(out, node, above)
        return
    inner, steps = chain
    cells = np.flatnonzero(above)
    kept = tuple(Scale(s.factor[cells], s.shift[cells]) if isinstance(s, Scale) else s for s in steps)
    if cells.size:
        out.parts.append(Part(inner, kept, cells, above[cells]))


def inner_of(node: Node) -> Inner | None:
    """`node` as a linear expression of usage leaves over its own axis; None when it is not one."""
    chain = None if is_sparse(node.axis) else _chain(node)
    return None if chain is None or chain[1] else chain[0]


def _chain(node: Node) -> tuple[Inner, tuple[Unary | Scale, ...]] | None:
    """`node` as elementwise operations on one linear expression."""
    n = node.axis.size
    if node.curvature is Curvature.CONSTANT:
        low, high = full(node.bounds.low, node.axis), full(node.bounds.high, node.axis)
        return (Inner((), np.array(low)), ()) if np.array_equal(low, high) else None
    if isinstance(node.op, Usage):
        return Inner(((node, np.ones(n)),), np.zeros(n)), ()
    if isinstance(node.op, Unary) and not isinstance(node.op, (Presence, Ceiling)):
        below = _chain(node.children[0])
        return None if below is None else (below[0], (*below[1], node.op))
    if not isinstance(node.op, Affine):
        return None
    constant = np.array(full(node.op.constant, node.axis))
    leaves: dict[int, tuple[Node, Array]] = {}
    curved: tuple[Inner, tuple[Unary | Scale, ...], Array] | None = None
    for child, c in zip(node.children, node.op.coefficients, strict=True):
        below = _chain(child)
        factor = np.array(full(c, node.axis))
        if below is None or (below[1] and curved is not None):
            return None
        if below[1]:
            curved = (*below, factor)
            continue
        constant += factor * below[0].constant
        for leaf, of_leaf in below[0].leaves:
            known = leaves.get(leaf.index)
            made = factor * of_leaf
            leaves[leaf.index] = (leaf, made if known is None else known[1] + made)
    if curved is None:
        return Inner(tuple(leaves.values()), constant), ()
    return None if leaves else (curved[0], (*curved[1], Scale(curved[2], constant)))


def hard_rows(graph: Graph) -> list[tuple[Inner, Array]]:
    """The hard constraints that are linear in usage leaves, each with its allowances (float64[n_cells])."""
    out = []
    for constraint in graph.constraints:
        node = constraint.node
        if constraint.enforcement != HARD or isinstance(constraint.allowance, Cells):
            continue
        inner = inner_of(node)
        if inner is not None and inner.leaves:
            out.append((inner, np.array(full(np.asarray(constraint.allowance, np.float64), node.axis))))
    return out
