"""What it costs to have each object in each place, when every amount has a price."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from models.graph import AssignmentSpace, Node, Scope, StaticWeights
from models.graph.cells import Array
from models.graph.ops import Usage
from solvers.milp.classes import ObjectClasses
from solvers.milp.linear import Indices

__all__ = ["CHUNK", "Places"]

CHUNK = 1_000_000
"""Entries of the cost matrix made at a time."""


@dataclass(frozen=True, eq=False, slots=True)
class Places:
    """Object classes × places; the last place is the unassigned state. ``start``: int64[classes], -1 last."""

    space: AssignmentSpace
    classes: ObjectClasses
    start: Indices

    @classmethod
    def of(cls, space: AssignmentSpace, classes: ObjectClasses) -> Places:
        """For representatives of the classes."""
        return cls(space, classes, space.initial[classes.first].astype(np.int64))

    @property
    def shape(self) -> tuple[int, int]:
        """(object classes, places)."""
        return self.classes.n, self.space.n_containers + 1

    def incidence(self, scope: Scope) -> sparse.csr_array:
        """Places × items, 1 where the place lies in the item."""
        data = np.ones(scope.indices.size)
        shape = (self.space.n_containers + 1, scope.items.size)
        return sparse.csr_array((data, scope.indices, scope.indptr), shape=shape)

    def weights(self, leaf: Usage) -> Array:
        """Of the classes: float64[n, D] when static, float64[n, n_items] when they depend on the item."""
        first = self.classes.first
        if isinstance(leaf.weights, StaticWeights):
            return leaf.weights.values[first]
        n_items = leaf.scope.items.size
        objects, items = np.repeat(first, n_items), np.tile(np.arange(n_items), first.size)
        return leaf.weights.at(objects, items).reshape(first.size, n_items)

    def chunks(self) -> list[slice]:
        """Ranges of classes with about `CHUNK` entries each."""
        n, width = self.shape
        rows = max(1, CHUNK // width)
        return [slice(i, min(i + rows, n)) for i in range(0, n, rows)]

    def costs(
        self,
        rows: slice,
        prices: Mapping[int, tuple[Node, Array]],
        held: Mapping[int, Array],
        lifts: Sequence[tuple[Node, Array]],
        allowed: npt.NDArray[np.bool_] | None,
    ) -> Array:
        """float64[classes in `rows`, places]; infinite where an object may not be.

        `prices`: by leaf index, a price for each of the leaf's cells; `held`: the weights of those leaves;
        `lifts`: for leaves that count ``after``, float64[classes in `rows`, cells], added beside the prices.
        """
        n, width = self.shape
        out = np.zeros((len(range(*rows.indices(n))), width))
        for index, (node, price) in prices.items():
            assert isinstance(node.op, Usage)
            self._add(out, rows, node.op, price, held[index])
        for node, extra in lifts:
            assert isinstance(node.op, Usage)
            d = node.op.weights.n_components
            by_item = extra.reshape(extra.shape[0], -1, d).sum(axis=2)
            out += np.asarray(by_item @ self.incidence(node.op.scope).T)
        out[~self.space.may_be_unassigned[self.classes.first[rows]], -1] = np.inf
        if allowed is not None:
            out[~allowed[rows]] = np.inf
        return out

    def _add(self, out: Array, rows: slice, leaf: Usage, price: Array, held: Array) -> None:
        weights = held[rows]
        inside = self.incidence(leaf.scope)
        if isinstance(leaf.weights, StaticWeights):
            by_item = price.reshape(-1, weights.shape[1])
            if leaf.counted != "stayed":
                out += weights @ (inside @ by_item).T
            if leaf.counted == "after":
                return
            common = self._common(rows, inside, by_item, weights)
            out += common if leaf.counted == "stayed" else -common
            return
        priced = weights * price
        if leaf.counted == "after":
            out += np.asarray(priced @ inside.T)
            return
        at_start = np.asarray(inside[self.start[rows]].todense())
        kept = priced * (at_start if leaf.counted == "stayed" else 1.0 - at_start)
        out += np.asarray(kept @ inside.T)

    def _common(self, rows: slice, inside: sparse.csr_array, by_item: Array, weights: Array) -> Array:
        """Σ of weight times price over the items that both the place and the start lie in."""
        start = inside[self.start[rows]]
        total = np.zeros((weights.shape[0], inside.shape[0]))
        for d in range(by_item.shape[1]):
            priced = start.multiply(by_item[:, d][None, :]).tocsr()
            total += np.asarray((priced @ inside.T).todense()) * weights[:, d : d + 1]
        return total

    def amounts(
        self,
        rows: slice,
        share: Array,
        held: Mapping[int, Array],
        leaves: Mapping[int, tuple[Node, Array]],
        shifts: Mapping[int, Array],
        leaf_of: Callable[[int], Usage],
    ) -> tuple[dict[int, Array], dict[int, Array]]:
        """What the classes in `rows` add to the leaves' cells when `share` of their objects is in each place.

        `share`: float64[classes in `rows`, places]. Second: the same with `shifts` (float64[classes in
        `rows`, cells] by key) in the place of the weights of the leaves ``leaf_of(key)``.
        """
        present: dict[int, Array] = {}

        def on_items(scope: Scope) -> Array:
            if id(scope) not in present:
                present[id(scope)] = np.asarray(share @ self.incidence(scope))
            return present[id(scope)]

        out = {}
        for i, (node, _) in leaves.items():
            leaf = node.op
            assert isinstance(leaf, Usage)
            on = on_items(leaf.scope)
            if leaf.counted != "after":
                at_start = np.asarray(self.incidence(leaf.scope)[self.start[rows]].todense())
                on = on * (at_start if leaf.counted == "stayed" else 1.0 - at_start)
            weights = held[i][rows]
            static = isinstance(leaf.weights, StaticWeights)
            out[i] = (on.T @ weights).reshape(-1) if static else (on * weights).sum(axis=0)
        shifted = {}
        for key, shift in shifts.items():
            leaf = leaf_of(key)
            d = leaf.weights.n_components
            shifted[key] = (np.repeat(on_items(leaf.scope), d, axis=1) * shift).sum(axis=0)
        return out, shifted
