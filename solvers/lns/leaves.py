"""Leaves of a part of the problem: what the freed objects add, all others being constants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from models.graph import DynamicWeights, GraphBuilder, Node, Partition, Scope, StaticWeights, Weights
from models.graph.axis import Axis
from models.graph.cells import Array, Value, as_dense
from models.graph.ops import GroupUsage, Onto, PairCost, Usage
from models.graph.space import AssignmentSpace, Ints
from solvers.lns.live import Live
from solvers.milp.linear import Indices

__all__ = ["Leaves"]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Leaves:
    """Makes the leaves of one restricted graph.

    Whether an object was at a scope item at the start is put into its weights there, so that restricted
    leaves count ``after`` only and the containers where objects started need not be part of the restriction.

    Parameters
    ----------
    builder
        Of the restricted graph; its space's initial assignment is where the freed objects are now.
    space
        Of the whole graph.
    assignment
        int32[n_objects] of the whole graph: where everything is now.
    objects, places
        int64: the freed objects; the containers they may be in, ascending, then -1.
    live
        Live elements of each axis.
    """

    builder: GraphBuilder
    space: AssignmentSpace
    assignment: Ints
    objects: Indices
    places: Indices
    live: Live

    def usage(self, op: Usage, now: Value) -> Node:
        """A usage leaf whose value in the whole problem is `now`."""
        scope = self._scope(op.scope)
        if op.counted == "after" or op.weights.n_components == 1:
            leaf = Usage(scope, self._weights(op))
            return self._completed(op, now, self.builder.node(leaf), as_dense(self._at_now(leaf)))
        # weights that depend on the place have one component: a leaf for each, put side by side
        assert isinstance(op.weights, StaticWeights)
        axis = self.live.axis(op.leaf_axis)
        n, d = scope.items.size, op.weights.n_components
        mine = np.zeros((n, d))
        parts = []
        for k in range(d):
            one = Usage(op.scope, StaticWeights(op.weights.values[:, k : k + 1]), op.counted)
            leaf = Usage(scope, self._weights(one))
            mine[:, k] = as_dense(self._at_now(leaf))
            node = self.builder.total(self.builder.node(leaf), Onto("map", np.arange(n) * d + k, axis))
            parts.append((node, 1.0))
        return self._completed(op, now, self.builder.affine(parts), mine)

    def group_usage(self, op: GroupUsage, now: Value) -> Node:
        """The same by group."""
        position, group = op.partition.expand(self.objects)
        index = np.searchsorted(self.live.of(op.partition.groups), group)
        groups = self.live.plain(op.partition.groups)
        rows = _row_pointers(position, self.objects.size)
        partition = Partition(op.partition.name, groups, rows, index.astype(np.int32))
        leaf = GroupUsage(partition, self._scope(op.scope), self._weights(op))
        return self._completed(op, now, self.builder.node(leaf), as_dense(self._at_now(leaf)))

    def _at_now(self, leaf: Usage | GroupUsage) -> Value:
        return leaf.evaluate(self.builder.space, self.builder.space.initial)

    def _completed(self, op: Usage | GroupUsage, now: Value, node: Node, mine: Array) -> Node:
        """With what the objects add that stay where they are; `mine`: what the freed ones add now."""
        everyone = self.live.value(now, op.leaf_axis)
        return self.builder.affine([(node, 1.0)], everyone - mine.reshape(everyone.shape))

    def pair_cost(self, op: PairCost, now: Value) -> Node:
        """Pairs of freed objects as they are; a pair with one end fixed is a cost by place."""
        freed = np.full(self.space.n_objects, -1, np.int64)
        freed[self.objects] = np.arange(self.objects.size)
        first, second = freed[op.first], freed[op.second]
        item = op.scope.single
        there = item[self.assignment]
        at = op.distance[there[op.first], there[op.second]]
        any_free = (first >= 0) | (second >= 0)
        rest = float(as_dense(now)[0]) - float(np.sum(op.rate[any_free] * at[any_free]))

        # of each place: its item among the live ones, the last standing for "in no item"
        live = self.live.of(op.scope.items)
        of_place = item[self.places].astype(np.int64)
        outside = live.size
        position = np.where(of_place < 0, outside, np.searchsorted(live, of_place))
        items = np.append(live, op.scope.items.size)
        both = (first >= 0) & (second >= 0)
        scope = self._scope(op.scope)
        parts: list[tuple[Node, float]] = []
        if both.any():
            ends = first[both].astype(np.int32), second[both].astype(np.int32)
            distance = op.distance[np.ix_(items, items)]
            parts.append((self.builder.node(PairCost(scope, *ends, op.rate[both], distance)), 1.0))
        costs = np.zeros((self.objects.size, items.size))
        one = (first >= 0) & ~both
        np.add.at(costs, first[one], op.rate[one, None] * op.distance[items][:, there[op.second[one]]].T)
        one = (second >= 0) & ~both
        np.add.at(costs, second[one], op.rate[one, None] * op.distance[there[op.first[one]]][:, items])
        axis = Axis(f"{op.scope.name} or outside", items.size)
        everywhere = Scope(axis.name, axis, np.arange(position.size + 1), position.astype(np.int32))
        linear = self.builder.total(self.builder.node(Usage(everywhere, _by_item(costs))))
        return self.builder.affine([*parts, (linear, 1.0)], rest)

    def _scope(self, scope: Scope) -> Scope:
        position, item = scope.expand(self.places)
        index = np.searchsorted(self.live.of(scope.items), item)
        rows = _row_pointers(position, self.places.size)
        return Scope(scope.name, self.live.plain(scope.items), rows, index.astype(np.int32))

    def _weights(self, op: Usage | GroupUsage) -> Weights:
        """Weights of the freed objects at the live items."""
        if op.counted == "after" and isinstance(op.weights, StaticWeights):
            return StaticWeights(op.weights.values[self.objects])
        items = self.live.of(op.scope.items)
        if isinstance(op.weights, StaticWeights):
            table = np.repeat(op.weights.values[self.objects, :1], items.size, axis=1)
        else:
            table = _dense_rows(op.weights, self.objects, items)
        if op.counted != "after":
            n = self.objects.size
            started = np.repeat(self.space.initial[self.objects], items.size)
            stayed = op.scope.contains(started, np.tile(items, n)).reshape(n, items.size)
            table = np.where(stayed == (op.counted == "stayed"), table, 0.0)
        return _by_item(table)


def _row_pointers(position: Indices, n: int) -> Indices:
    out = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(position, minlength=n), out=out[1:])
    return out


def _dense_rows(weights: DynamicWeights, objects: Indices, items: Indices) -> Array:
    """float64[objects, items]: weight of each object on each item, reading only the rows they use."""
    used, row = np.unique(weights.rows[objects], return_inverse=True)
    out = np.repeat(weights.base[objects, None], items.size, axis=1)
    for k, r in enumerate(used.tolist()):
        if r < 0 or not items.size:
            continue
        start, end = weights.table.indptr[r], weights.table.indptr[r + 1]
        at = weights.table.indices[start:end]
        place = np.minimum(np.searchsorted(items, at), items.size - 1)
        hit = items[place] == at
        mine = np.flatnonzero(row == k)
        out[np.ix_(mine, place[hit])] = weights.table.data[start:end][hit]
    return out


def _by_item(table: Array) -> DynamicWeights:
    """Weights by object and item, equal rows of the table stored once."""
    n, items = table.shape
    if not n or not items:
        return DynamicWeights(np.zeros(n), np.full(n, -1, np.int32), sparse.csr_array((0, items)))
    rows, row = np.unique(table, axis=0, return_inverse=True)
    return DynamicWeights(np.zeros(n), row.reshape(-1).astype(np.int32), sparse.csr_array(rows))
