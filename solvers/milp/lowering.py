"""From the expression graph to a mixed-integer linear model, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import Unsupported
from models.graph import HARD, Constraint, Graph, Node
from models.graph.cells import Array, Cells, at_keys
from models.graph.evaluate import FEASIBILITY_TOLERANCE, Evaluator
from models.graph.ops.base import Curvature, LeafOp
from models.graph.space import Ints
from solvers.milp.activity import Activity
from solvers.milp.classes import ObjectClasses, find_classes
from solvers.milp.context import Context, CutSource
from solvers.milp.decision import Decision
from solvers.milp.estimate import ENTRY_LIMIT, entries
from solvers.milp.expression import Expression, at_cells
from solvers.milp.linear import Indices, Linear
from solvers.milp.lower import lowering_of
from solvers.milp.model import MilpModel, ModelBuilder
from solvers.milp.operation import Need

__all__ = ["Interrupted", "Limit", "Lowered", "lower", "model_entries", "open_columns"]


class Interrupted(Exception):
    """The time was over before the model was made. Never leaves the solvers."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a row of the model enforces: one element of one hard constraint."""

    constraint: Constraint
    element: int

    @property
    def where(self) -> str:
        """Label of the element: a scope item, or a group and an item."""
        return self.constraint.node.axis.label(self.element)

    def __str__(self) -> str:
        named = " ".join(p for p in (self.constraint.spec, self.constraint.name) if p) or "constraint"
        return named if self.constraint.node.axis.size == 1 else f"{named} on {self.where}"


@dataclass(frozen=True, eq=False, slots=True)
class Lowered:
    """A graph as rows and columns.

    ``tiers``: one expression for each goal tier (`Linear` of length ``n_tiers``); ``limits``: what the blocks
    of rows stand for; ``cuts``: sources of rows for approximated nodes;
    ``coarse``: whether more detail would tighten it.
    """

    graph: Graph
    decision: Decision
    model: MilpModel
    tiers: Linear
    limits: tuple[Limit, ...]
    cuts: tuple[CutSource, ...]
    coarse: bool

    def range(self, linear: Linear) -> tuple[Array, Array]:
        """Smallest and largest value of each expression over all columns."""
        return Activity(self.decision).range(linear, self.model.lower, self.model.upper)

    def encode(self, assignment: Ints) -> Array | None:
        """Values of the decision columns for an assignment, None when the model has no column for it."""
        return self.decision.encode(assignment)

    def decode(self, x: Array) -> Ints:
        """The assignment of column values."""
        return self.decision.decode(x)


def model_entries(graph: Graph) -> int:
    """About how many entries `lower` would make; it refuses more than `ENTRY_LIMIT`."""
    classes = find_classes(graph)
    return _entries(graph, classes, classes.n * (graph.space.n_containers + 1), _needs(graph))


def open_columns(graph: Graph) -> int:
    """How many decision columns `lower` would keep: those that no hard limit forbids all by itself.

    Counted without the model; where that would be too large to be stated, all columns count.
    """
    decision = Decision.of(graph.space, find_classes(graph))
    if _entries(graph, decision.classes, decision.n, _needs(graph)) > ENTRY_LIMIT:
        return decision.n
    return _pruned(_context(graph, decision), lambda: False).decision.n


def lower(
    graph: Graph,
    detail: int = 0,
    *,
    prune: bool = True,
    allowed: npt.NDArray[np.bool_] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Lowered:
    """State `graph` as a MILP. Raises Unsupported for what cannot be stated, by name.

    Parameters
    ----------
    detail
        How finely to approximate from below what is neither linear nor has few values.
    prune
        Leave out decision columns that a single hard limit forbids (not when limits are to be questioned).
    allowed
        bool[classes, places], the last place the unassigned state: leave out all other decision columns.
    stopped
        Asked between any two nodes; `Interrupted` is raised when it says True.
    """
    decision = Decision.of(graph.space, find_classes(graph))
    if allowed is not None:
        decision = decision.limited(
            np.where(allowed[decision.of_class, decision.container], decision.upper, 0.0)
        )
    needs = _needs(graph)
    size = _entries(graph, decision.classes, decision.n, needs)
    if size > ENTRY_LIMIT:
        raise Unsupported(
            f"{decision.classes.n} kinds of objects × {graph.space.n_containers + 1} places make a model of "
            f"about {size} entries (limit {ENTRY_LIMIT}); use the search solver"
        )
    ctx = _context(graph, decision)
    if prune:
        ctx = _pruned(ctx, stopped)
    ctx.detail = detail
    for node in graph.nodes:
        if needs[node.index] and node.index not in ctx.lowered:
            _go_on(stopped)
            ctx.model.owner = node.index
            ctx.lowered[node.index] = _lowered(ctx, node, needs[node.index])
    limits: list[Limit] = []
    for constraint in graph.constraints:
        if constraint.enforcement == HARD:
            _go_on(stopped)
            _constrain(ctx, constraint, limits)
    tiers = [
        Linear.summed([ctx.lowered[t.node.index].linear.scaled(t.weight) for t in tier.terms])
        for tier in graph.tiers
    ]
    stacked = Linear.stacked(tiers) if tiers else Linear.constants(np.empty(0))
    return Lowered(
        graph, ctx.decision, ctx.model.build(), stacked, tuple(limits), tuple(ctx.cuts), ctx.coarse
    )


def _entries(graph: Graph, classes: ObjectClasses, columns: int, needs: list[Need]) -> int:
    return entries(classes, (n for n in graph.nodes if needs[n.index]), columns)


def _go_on(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise Interrupted


def _context(graph: Graph, decision: Decision) -> Context:
    model = ModelBuilder()
    model.columns(np.zeros(decision.n), decision.upper, integer=True)
    sums, size = decision.sums()
    model.rows(sums, lower=size, upper=size)
    anywhere = graph.space.initial.copy()
    anywhere[(anywhere < 0) & ~graph.space.may_be_unassigned] = 0
    return Context(graph, decision, model, Activity(decision), Evaluator(graph, anywhere))


def _needs(graph: Graph) -> list[Need]:
    """From which sides each node is needed, by index; NONE where no root depends on it."""
    needs = [Need.NONE] * len(graph.nodes)
    for constraint in graph.constraints:
        if constraint.enforcement == HARD:
            needs[constraint.node.index] |= Need.ABOVE
    for tier in graph.tiers:
        for term in tier.terms:
            needs[term.node.index] |= Need.ABOVE if term.weight >= 0 else Need.BELOW
    for node in reversed(graph.nodes):
        need = needs[node.index]
        if not need or node.curvature is Curvature.CONSTANT:
            continue
        for child, wanted in zip(
            node.children, lowering_of(node.op.kind).child_needs(node, need), strict=True
        ):
            needs[child.index] |= wanted
    return needs


def _lowered(ctx: Context, node: Node, need: Need) -> Expression:
    if node.curvature is Curvature.CONSTANT:
        return ctx.constant(node)
    return lowering_of(node.op.kind).lower(ctx, node, need, [ctx.lowered[c.index] for c in node.children])


def _constrain(ctx: Context, constraint: Constraint, limits: list[Limit]) -> None:
    """Rows for the elements of a hard constraint that can be broken at all."""
    expression = ctx.lowered[constraint.node.index]
    keys, linear, allowed = _cells_and_allowance(constraint, expression)
    high = ctx.highest(linear)
    at_risk = np.flatnonzero(high > allowed + 1e-9 * np.maximum(1.0, np.abs(allowed)))
    block = np.arange(len(limits), len(limits) + at_risk.size)
    limits.extend(Limit(constraint, int(k)) for k in keys[at_risk])
    kept = linear if at_risk.size == linear.n else linear.taken(at_risk)
    ctx.model.rows(kept, upper=allowed[at_risk], block=block)


def _cells_and_allowance(constraint: Constraint, expression: Expression) -> tuple[Indices, Linear, Array]:
    """Flat indices, expressions and allowances of all elements that may exceed theirs."""
    allowance = constraint.allowance
    if expression.keys is None:
        allowed = allowance.dense() if isinstance(allowance, Cells) else allowance
        return expression.flat, expression.linear, at_cells(np.asarray(allowed, np.float64), expression)
    assert expression.background is not None
    extra = np.empty(0, np.int64)
    if isinstance(allowance, Cells):
        extra = np.setdiff1d(allowance.keys, expression.keys, assume_unique=True)
        base = allowance.background
    else:
        base = np.asarray(allowance, np.float64)
    rows, columns = expression.shape
    if np.any(expression.background > base):
        # untouched cells that are in excess all by themselves: state each of them
        over = np.broadcast_to(expression.background > base, (rows, columns))
        everywhere = np.flatnonzero(over.reshape(-1))
        extra = np.union1d(extra, np.setdiff1d(everywhere, expression.keys, assume_unique=True))
    background = at_keys(expression.background, extra, expression.shape)
    keys = np.concatenate([expression.keys, extra])
    linear = Linear.stacked([expression.linear, Linear.constants(background)])
    if isinstance(allowance, Cells):
        return keys, linear, allowance.at(keys)
    return keys, linear, at_keys(base, keys, expression.shape)


def _pruned(ctx: Context, stopped: Callable[[], bool]) -> Context:
    """A context without the decision columns that some hard limit, all by itself, forbids.

    Looks at limits that are affine in the decision only. Each object in a column adds its coefficient to the
    row where it could have added less elsewhere; the row has room for so many of these differences. Where
    nothing is forbidden the context is kept, with what was lowered on the way.
    """
    decision = ctx.decision
    upper = decision.upper.copy()
    for constraint in ctx.graph.constraints:
        if constraint.enforcement != HARD or constraint.node.curvature is not Curvature.AFFINE:
            continue
        if not _leaves_only(constraint.node):
            continue
        _go_on(stopped)
        expression = _affine_expression(ctx, constraint.node)
        _, linear, allowed = _cells_and_allowance(constraint, expression)
        slack = allowed + FEASIBILITY_TOLERANCE * np.maximum(1.0, np.abs(allowed)) - ctx.lowest(linear)
        extra = linear.coefficient - _least_per_unit(ctx, linear)
        entry = np.flatnonzero(extra > 0)
        room = np.floor(slack[linear.row[entry]] / extra[entry] * (1 + 1e-9))
        np.minimum.at(upper, linear.column[entry], np.maximum(room, 0.0))
    if np.array_equal(upper, decision.upper):
        return ctx
    return _context(ctx.graph, decision.limited(upper))


def _least_per_unit(ctx: Context, linear: Linear) -> Array:
    """For each entry the least that an object of its class adds to its row wherever it is: float64[nnz]."""
    of = ctx.decision.of_class[linear.column]
    width = np.bincount(ctx.decision.of_class, minlength=ctx.decision.classes.n)
    again = (linear.row[1:] == linear.row[:-1]) & (of[1:] == of[:-1])
    if not again.any():
        return np.where(width[of] > 1, np.minimum(linear.coefficient, 0.0), linear.coefficient)
    starts = np.flatnonzero(np.append(True, ~again))
    count = np.diff(np.append(starts, of.size))
    least = np.minimum.reduceat(linear.coefficient, starts)
    least = np.where(count < width[of[starts]], np.minimum(least, 0.0), least)
    return np.repeat(least, count)


def _leaves_only(node: Node) -> bool:
    if isinstance(node.op, LeafOp):
        return True
    return node.op.kind in ("Affine", "Total", "Constant") and all(_leaves_only(c) for c in node.children)


def _affine_expression(ctx: Context, node: Node) -> Expression:
    if node.index not in ctx.lowered:
        for child in node.children:
            _affine_expression(ctx, child)
        ctx.lowered[node.index] = _lowered(ctx, node, Need.ABOVE)
    return ctx.lowered[node.index]
