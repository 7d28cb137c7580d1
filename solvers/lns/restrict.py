"""A part of a problem as a graph of its own: some objects are free among some containers, all others stay.

The restricted graph has the elements that those objects can change, everything else is folded into constants,
so that its size and the work to make it follow the part, not the problem. Its goal tiers have the values of
the whole problem; its hard constraints hold exactly where those of the whole problem do, or are no worse
than now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from models.graph import HARD, Constraint, DynamicWeights, Graph, GraphBuilder, Node
from models.graph.axis import AnyAxis, Axis, ProductAxis
from models.graph.cells import Array, Cells, as_dense
from models.graph.graph import Tier
from models.graph.ops import (
    Affine,
    Before,
    Constant,
    Curvature,
    GroupUsage,
    KthLargest,
    LargestSum,
    Maximum,
    Onto,
    PairCost,
    Peak,
    Total,
    Usage,
)
from models.graph.ops.reduce import Reduction
from models.graph.space import UNASSIGNED, AssignmentSpace, Ints
from solvers.lns.incumbent import Incumbent
from solvers.lns.leaves import Leaves
from solvers.lns.live import Live, live_elements
from solvers.milp.linear import Indices

__all__ = ["Restriction", "restrict"]


@dataclass(frozen=True, eq=False, slots=True)
class Restriction:
    """A part of a problem.

    Parameters
    ----------
    graph
        Its initial assignment is where the free objects are now.
    objects, containers
        int64, ascending: the objects and containers of the whole problem that those of `graph` stand for.
    nodes
        For each node of the whole graph that matters (by index) the restricted one.
    live
        Which elements of each axis of the whole graph those of `graph` stand for.
    """

    graph: Graph
    objects: Indices
    containers: Indices
    nodes: dict[int, Node]
    live: Live

    def containers_of(self, assignment: Ints) -> Ints:
        """int32: an assignment of `graph` in terms of the whole problem's containers."""
        whole = np.append(self.containers, UNASSIGNED)
        return whole[assignment].astype(np.int32)


def restrict(
    incumbent: Incumbent, objects: Indices, containers: Indices, *, homes: bool = False
) -> Restriction:
    """Free `objects` among `containers` (and unassigned, where allowed), all others stay where they are.

    Where a free object is now is always one of its choices; `containers` is extended by these places. With
    `homes` each may also go back to where it started, a place that no other free object may enter for that.
    """
    space = incumbent.graph.space
    objects = np.unique(objects)
    here, home = incumbent.assignment[objects], space.initial[objects]
    inner = np.union1d(containers, here[here >= 0]).astype(np.int64)
    containers = np.union1d(inner, home[home >= 0]).astype(np.int64) if homes else inner
    places = np.append(containers, UNASSIGNED)
    live = live_elements(incumbent.nodes, objects, places)
    part = AssignmentSpace(
        Axis(space.objects.name, objects.size),
        Axis(space.containers.name, containers.size),
        np.where(here < 0, UNASSIGNED, np.searchsorted(containers, here)).astype(np.int32),
        space.may_be_unassigned[objects] | (here < 0),
    )
    builder = GraphBuilder(part)
    leaves = Leaves(
        builder=builder, space=space, assignment=incumbent.assignment, objects=objects, places=places,
        live=live,
    )  # fmt: skip
    nodes = _Nodes(incumbent, builder, leaves, live).all()
    _roots(incumbent, builder, live, nodes)
    if containers.size > inner.size:
        _keep_out(builder, home, containers, ~np.isin(containers, inner))
    return Restriction(builder.build(), objects, containers, nodes, live)


def _keep_out(builder: GraphBuilder, home: Ints, containers: Indices, own: npt.NDArray[np.bool_]) -> None:
    """Let the containers marked by `own` take only objects that started there."""
    homes, of_object = np.unique(home, return_inverse=True)
    forbidden = own & (containers != homes[:, None])
    weights = DynamicWeights(
        np.zeros(home.size), of_object.astype(np.int32), sparse.csr_array(forbidden.astype(np.float64))
    )
    builder.constrain(builder.usage(builder.container_scope, weights), spec="part", name="only back home")


@dataclass(frozen=True, eq=False, slots=True)
class _Nodes:
    """Restricts nodes one after another."""

    incumbent: Incumbent
    builder: GraphBuilder
    leaves: Leaves
    live: Live

    def all(self) -> dict[int, Node]:
        made: dict[int, Node] = {}
        for node in self.incumbent.nodes:
            made[node.index] = self._one(node, [made[c.index] for c in node.children if c.index in made])
        return made

    def _one(self, node: Node, children: Sequence[Node]) -> Node:
        op, builder = node.op, self.builder
        now = self.incumbent.value(node)
        if node.curvature is Curvature.CONSTANT or isinstance(op, (Before, Constant)):
            return builder.constant(self.live.axis(node.axis), self.live.value(now, node.axis))
        if isinstance(op, Usage):
            return self.leaves.usage(op, now)
        if isinstance(op, GroupUsage):
            return self.leaves.group_usage(op, now)
        if isinstance(op, PairCost):
            return self.leaves.pair_cost(op, now)
        if isinstance(op, Affine):
            parameters = [self.live.parameter(c, node.axis) for c in op.coefficients]
            terms = list(zip(children, parameters, strict=True))
            return builder.affine(terms, self.live.parameter(op.constant, node.axis))
        if isinstance(op, Reduction):
            return self._reduction(node, op, children[0])
        return builder.node(op, *children)

    # -- reductions: what is not live is a constant part of the result ---------------------------------------

    def _reduction(self, node: Node, op: Reduction, child: Node) -> Node:
        onto = self._onto(node, op)
        if isinstance(op, Total):
            source = node.children[0].axis
            before = self.live.value(self.incumbent.value(node), node.axis)
            mine = self.live.value(self.incumbent.value(node.children[0]), source).reshape(-1)
            target = onto.of(child.axis)
            kept = target >= 0
            changing = np.bincount(target[kept], mine[kept], before.size)
            return self.builder.affine(
                [(self.builder.total(child, onto), 1.0)], before - changing.reshape(before.shape)
            )
        if isinstance(op, Peak):
            return self._peak(node, onto, child)
        assert isinstance(op, (KthLargest, LargestSum))
        return self._largest(node, op, onto, child)

    def _onto(self, node: Node, op: Reduction) -> Onto:
        if op.onto.kind != "map":
            return op.onto
        assert op.onto.index is not None
        target = op.onto.index[self.live.of(node.children[0].axis)]
        index = np.where(target < 0, -1, np.searchsorted(self.live.of(node.axis), target))
        return Onto("map", index.astype(np.int64), self.live.axis(node.axis))

    def _rest(self, node: Node) -> tuple[Array, Indices]:
        """Values of the elements that are not live, and the live target of each."""
        assert isinstance(node.op, Reduction)
        source = node.children[0].axis
        values = as_dense(self.incumbent.value(node.children[0]))
        target = node.op.onto.of(source)
        targets = self.live.of(node.axis)
        place = np.minimum(np.searchsorted(targets, target), targets.size - 1)
        mine = targets[place] == target
        mine[self.live.of(source)] = False
        rest = np.flatnonzero(mine)
        return values[rest], place[rest]

    def _peak(self, node: Node, onto: Onto, child: Node) -> Node:
        """Shifted so that nothing is below 0, the value of a target without elements."""
        axis = self.live.axis(node.axis)
        if not axis.size:
            return self.builder.constant(axis, np.empty(0))
        values, target = self._rest(node)
        floor = min(child.bounds.lowest, float(values.min(initial=np.inf)))
        peak = self.builder.node(Peak(onto), self.builder.affine([(child, 1.0)], -floor))
        if values.size:
            highest = np.full(axis.size, -np.inf)
            np.maximum.at(highest, target, values - floor)
            rest = self.builder.constant(axis, np.maximum(highest, 0.0))
            peak = self.builder.node(Maximum(), peak, rest)
        filled = np.bincount(np.append(target, onto.of(child.axis)[onto.of(child.axis) >= 0]),
                             minlength=axis.size) > 0  # fmt: skip
        return self.builder.affine([(peak, 1.0)], np.where(filled, floor, 0.0))

    def _largest(self, node: Node, op: KthLargest | LargestSum, onto: Onto, child: Node) -> Node:
        """The k largest of the others of each target become elements beside the live ones."""
        axis, source = self.live.axis(node.axis), child.axis
        if isinstance(source, ProductAxis) and source.sparse:  # all elements are live, see `live_elements`
            return self.builder.node(type(op)(op.k, onto), child)
        values, target = self._rest(node)
        order = np.lexsort((-values, target))
        rank = np.arange(order.size) - np.searchsorted(target[order], target[order])
        kept = order[rank < op.k]
        n = source.size
        beside: AnyAxis = Axis(f"{source.name} and the largest others", n + kept.size)
        widened = self.builder.total(child, Onto("map", np.arange(n), beside))
        constant = np.append(np.zeros(n), values[kept])
        index = np.append(onto.of(source), target[kept]).astype(np.int64)
        return self.builder.node(
            type(op)(op.k, Onto("map", index, axis)), self.builder.affine([(widened, 1.0)], constant)
        )


def _roots(incumbent: Incumbent, builder: GraphBuilder, live: Live, nodes: dict[int, Node]) -> None:
    for level, tier in enumerate(incumbent.graph.tiers):
        _goal(builder, level, tier, nodes)
    for constraint in incumbent.graph.constraints:
        if constraint.enforcement == HARD:
            node = nodes[constraint.node.index]
            if node.curvature is not Curvature.CONSTANT:
                allowed = _allowance(incumbent, live, constraint)
                builder.constrain(node, spec=constraint.spec, name=constraint.name, allowance=allowed)


def _goal(builder: GraphBuilder, level: int, tier: Tier, nodes: dict[int, Node]) -> None:
    for term in tier.terms:
        builder.minimize(
            nodes[term.node.index], weight=term.weight, tier=level, spec=term.spec, name=tier.name
        )


def _allowance(incumbent: Incumbent, live: Live, constraint: Constraint) -> Array:
    """The live part of the allowance; where a constraint is in excess now, what it is now."""
    axis = constraint.node.axis
    given = constraint.allowance
    allowed = live.value(given, axis) if isinstance(given, Cells) else live.parameter(given, axis)
    return np.maximum(allowed, live.value(incumbent.value(constraint.node), axis))
