"""The expression graph: nodes, goal tiers and constraints, and the builder that makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.graph.axis import SCALAR, AnyAxis
from models.graph.cells import Array, Cells, Value
from models.graph.digest import Digester
from models.graph.ops.affine import Affine, Constant
from models.graph.ops.base import Bounds, Curvature, LeafOp, Op
from models.graph.ops.before import Before
from models.graph.ops.reduce import ALL, Onto, Total
from models.graph.ops.usage import GroupUsage, Usage
from models.graph.space import AssignmentSpace, Partition, Scope
from models.graph.weights import DynamicWeights, StaticWeights, Weights

_LeafMaker: TypeAlias = Callable[[str], Usage | GroupUsage]


def _as_weights(weights: Weights | npt.ArrayLike) -> Weights:
    return weights if isinstance(weights, (StaticWeights, DynamicWeights)) else StaticWeights.of(weights)


__all__ = ["HARD", "REPORT", "Constraint", "Graph", "GraphBuilder", "Node", "Term", "Tier"]

HARD = "hard"
"""Every element must be <= the allowance."""
REPORT = "report"
"""Measured and reported, not enforced: what a soft constraint is about."""


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """One vectorised expression.

    ``index`` is its place in the graph's order (children first); ``bounds``, ``curvature`` and ``integral``
    hold over all assignments.
    """

    index: int
    op: Op | LeafOp
    children: tuple[Node, ...]
    axis: AnyAxis
    bounds: Bounds
    curvature: Curvature
    integral: bool

    def __repr__(self) -> str:
        inside = ", ".join(f"#{c.index}" for c in self.children)
        return f"#{self.index} {self.op.kind}({inside}) over {self.axis.name}[{self.axis.size}]"


@dataclass(frozen=True, slots=True)
class Term:
    """``weight · node`` inside a tier; the node is a scalar, `spec` names who asked for it."""

    weight: float
    node: Node
    spec: str


@dataclass(frozen=True, slots=True)
class Tier:
    """One level of the lexicographic objective: minimise the sum of its terms."""

    name: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Constraint:
    """Every element of `node` is at most `allowance`.

    Parameters
    ----------
    spec, name
        The spec it came from, and what it limits, for people.
    enforcement
        `HARD` or `REPORT`.
    allowance
        Scalar, array like a bound, or `Cells`; above 0 where what was broken at the start may stay so.
    """

    node: Node
    spec: str
    name: str
    enforcement: str
    allowance: Value


@dataclass(frozen=True, eq=False, slots=True)
class Graph:
    """What every solver reads. Nodes are in topological order; tiers are in falling priority."""

    space: AssignmentSpace
    nodes: tuple[Node, ...]
    tiers: tuple[Tier, ...]
    constraints: tuple[Constraint, ...]
    provenance: dict[int, tuple[str, ...]]

    def specs_of(self, node: Node) -> tuple[str, ...]:
        """Names of the specs that use `node`, sorted."""
        return self.provenance.get(node.index, ())


class GraphBuilder:
    """Makes nodes; equal expressions become one node.

    Examples
    --------
    >>> from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope, evaluate
    >>> space = AssignmentSpace(Axis("task", 2), Axis("host", 2), np.zeros(2, np.int32), np.zeros(2, bool))
    >>> g = GraphBuilder(space)
    >>> load = g.usage(Scope.identity(space.containers), [3.0, 4.0])
    >>> g.constrain(g.affine([(load, 1.0)], -5.0), spec="capacity")
    >>> evaluate(g.build(), [0, 0]).feasible
    False
    """

    def __init__(self, space: AssignmentSpace) -> None:
        self.space = space
        self._digest = Digester()
        self._nodes: list[Node] = []
        self._by_key: dict[tuple[bytes, tuple[int, ...]], Node] = {}
        self._tiers: dict[int, tuple[str, list[Term]]] = {}
        self._constraints: list[Constraint] = []
        self._provenance: dict[int, set[str]] = {}
        self._spec = ""
        self._identity: Scope | None = None
        self._places: Scope | None = None

    @contextmanager
    def for_spec(self, name: str) -> Iterator[None]:
        """Nodes, goals and constraints made inside are marked as coming from spec `name`."""
        before, self._spec = self._spec, name
        try:
            yield
        finally:
            self._spec = before

    # -- nodes ---------------------------------------------------------------------------------------------

    def node(self, op: Op | LeafOp, *children: Node) -> Node:
        """The node ``op(children)``. Raises InvalidInput when the children do not fit the operation."""
        key = (self._digest(op), tuple(c.index for c in children))
        found = self._by_key.get(key)
        if found is None:
            found = self._make(op, children)
            self._by_key[key] = found
            self._nodes.append(found)
        self._mark(found)
        return found

    def _make(self, op: Op | LeafOp, children: tuple[Node, ...]) -> Node:
        index = len(self._nodes)
        if isinstance(op, LeafOp):
            return Node(index, op, (), op.leaf_axis, op.bounds(self.space), op.curvature, op.integral)
        if (op.arity is None and not children) or (op.arity is not None and op.arity != len(children)):
            raise InvalidInput(f"{op.kind} takes {op.arity or 'one or more'} operands, got {len(children)}")
        axes = [c.axis for c in children]
        if any(a != axes[0] for a in axes[1:]):
            raise InvalidInput(f"{op.kind} over different axes: {', '.join(sorted({a.name for a in axes}))}")
        bounds = [c.bounds for c in children]
        axis = op.axis(axes)
        made = op.bounds(bounds, axes)
        curvature = op.curvature([c.curvature for c in children], bounds)
        if np.array_equal(made.low, made.high):
            curvature = Curvature.CONSTANT
        return Node(index, op, children, axis, made, curvature, op.integral([c.integral for c in children]))

    def _mark(self, node: Node) -> None:
        if self._spec:
            marks = self._provenance.setdefault(node.index, set())
            if self._spec not in marks:
                marks.add(self._spec)
                for child in node.children:
                    self._mark(child)

    @property
    def container_scope(self) -> Scope:
        """Every container as its own item."""
        if self._identity is None:
            self._identity = Scope.identity(self.space.containers)
        return self._identity

    def constant(self, axis: AnyAxis, values: npt.ArrayLike) -> Node:
        """A node that does not depend on the assignment."""
        return self.node(Constant(axis, np.asarray(values, np.float64)))

    def usage(self, scope: Scope, weights: Weights | npt.ArrayLike, counted: str = "after") -> Node:
        """Usage of each scope item.

        `counted`: ``after``, ``stayed``, ``new`` are leaves; ``before`` is a constant, ``during`` (before +
        new), ``old`` (before − stayed) and ``moved`` (old + new) are affine in them.
        """
        held = _as_weights(weights)
        return self._counted(counted, lambda c: Usage(scope, held, c))

    def group_usage(
        self, partition: Partition, scope: Scope, weights: Weights | npt.ArrayLike, counted: str = "after"
    ) -> Node:
        """Usage of each (group, scope item); `counted` as in `usage`."""
        held = _as_weights(weights)
        return self._counted(counted, lambda c: GroupUsage(partition, scope, held, c))

    def _counted(self, counted: str, leaf: _LeafMaker) -> Node:
        if counted in ("after", "stayed", "new"):
            return self.node(leaf(counted))
        if counted == "before":
            return self.node(Before(leaf("after")))
        parts = {
            "during": [("before", 1.0), ("new", 1.0)],
            "old": [("before", 1.0), ("stayed", -1.0)],
            "moved": [("before", 1.0), ("stayed", -1.0), ("new", 1.0)],
        }.get(counted)
        if parts is None:
            raise InvalidInput(
                f"unknown counted {counted!r}; one of after, before, during, moved, new, old, stayed"
            )
        return self.affine([(self._counted(c, leaf), w) for c, w in parts])

    def moved_amount(self, weights: Weights | npt.ArrayLike | None = None) -> Node:
        """Scalar: total weight (default: number) of objects that end in another place than they started.

        Becoming unassigned and becoming assigned are moves too.
        """
        if self._places is None:
            self._places = Scope.places(self.space.containers)
        held = np.ones(self.space.n_objects) if weights is None else weights
        return self.total(self.usage(self._places, held, "new"))

    def affine(self, terms: Iterable[tuple[Node, npt.ArrayLike]], constant: npt.ArrayLike = 0.0) -> Node:
        """``Σ coefficient · node + constant``; nested sums and equal nodes are merged.

        Coefficients and constant broadcast over the axis: scalars, flat arrays, or for a sparse axis
        two-dimensional arrays.
        """
        merged: dict[int, tuple[Node, Array]] = {}
        total: Array = np.asarray(constant, np.float64)
        axis: AnyAxis | None = None
        for node, coefficient in terms:
            if axis is not None and node.axis != axis:
                raise InvalidInput(f"a sum over different axes: {axis.name} and {node.axis.name}")
            axis = node.axis
            c = np.asarray(coefficient, np.float64)
            inner: Iterable[tuple[Node, Array]] = [(node, c)]
            if isinstance(node.op, Affine):
                inner = [(n, c * k) for n, k in zip(node.children, node.op.coefficients, strict=True)]
                total = total + c * node.op.constant
            elif isinstance(node.op, Constant):
                inner, total = [], total + c * node.op.values
            for child, k in inner:
                before = merged.get(child.index)
                merged[child.index] = (child, k if before is None else before[1] + k)
        if axis is None:
            raise InvalidInput("a sum needs at least one node; use constant() for a constant")
        kept = [merged[i] for i in sorted(merged) if np.any(merged[i][1])]
        if not kept:
            return self.constant(axis, total)
        if len(kept) == 1 and not np.any(total) and np.all(kept[0][1] == 1.0):
            self._mark(kept[0][0])
            return kept[0][0]
        return self.node(Affine(tuple(k for _, k in kept), total), *[n for n, _ in kept])

    def total(self, node: Node, onto: Onto = ALL) -> Node:
        """The sum of all elements, or for each element of another axis."""
        return node if node.axis == SCALAR and onto.kind == "all" else self.node(Total(onto), node)

    # -- roots ---------------------------------------------------------------------------------------------

    def minimize(
        self, node: Node, *, weight: float = 1.0, tier: int = 0, spec: str = "", name: str = ""
    ) -> None:
        """Add ``weight · node`` (a scalar) to goal tier `tier`; lower tiers come first."""
        if node.axis != SCALAR:
            raise InvalidInput(f"a goal is a scalar, {node!r} is not; total() or a peak makes one")
        if not np.isfinite(weight):
            raise InvalidInput(f"the weight of a goal must be finite, got {weight}")
        label, terms = self._tiers.setdefault(tier, (name, []))
        self._tiers[tier] = (label or name, terms)
        terms.append(Term(weight, node, spec or self._spec))

    def constrain(
        self,
        node: Node,
        *,
        spec: str = "",
        name: str = "",
        enforcement: str = HARD,
        allowance: npt.ArrayLike | Cells = 0.0,
    ) -> None:
        """Require every element of `node` to be at most `allowance`."""
        allowed = allowance if isinstance(allowance, Cells) else np.asarray(allowance, np.float64)
        self._constraints.append(Constraint(node, spec or self._spec, name, enforcement, allowed))

    def build(self) -> Graph:
        """The finished graph."""
        tiers = tuple(
            Tier(name or f"tier {level}", tuple(terms))
            for level, (name, terms) in sorted(self._tiers.items())
        )
        marks = {i: tuple(sorted(s)) for i, s in sorted(self._provenance.items())}
        return Graph(self.space, tuple(self._nodes), tiers, tuple(self._constraints), marks)
