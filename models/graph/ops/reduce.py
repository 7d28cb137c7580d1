"""Reductions: many elements to one, or to one for each element of another axis."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.graph.axis import SCALAR, AnyAxis, ProductAxis
from models.graph.cells import Array, Cells, Value, as_dense, at_keys, summed
from models.graph.ops.base import Bounds, Curvature, Monotone, Op, compose, full

__all__ = ["ALL", "COLUMNS", "ROWS", "KthLargest", "LargestSum", "Onto", "Peak", "Reduction", "Total"]


@dataclass(frozen=True, eq=False)
class Onto:
    """Which element of the result each source element goes to.

    Parameters
    ----------
    kind
        ``all`` (one scalar), ``rows`` or ``columns`` (of a product axis), or ``map``.
    index
        For ``map``: int64[source size], -1 where the source element is left out.
    target
        For ``map``: axis of the result.
    """

    kind: str
    index: npt.NDArray[np.int64] | None = None
    target: AnyAxis | None = None

    def axis(self, source: AnyAxis) -> AnyAxis:
        """Axis of the result."""
        if self.kind == "all":
            return SCALAR
        if self.kind == "map":
            assert self.index is not None
            assert self.target is not None
            if isinstance(source, ProductAxis) and source.sparse:
                raise InvalidInput("a sparse axis is reduced to its rows or columns first, then along a map")
            if self.index.shape != (source.size,) or (
                self.index.size and self.index.max() >= self.target.size
            ):
                raise InvalidInput(f"the map does not fit {source.name} ({source.size} elements)")
            return self.target
        if not isinstance(source, ProductAxis):
            raise InvalidInput(f"{source.name} is not a product of two axes and has no {self.kind}")
        return source.rows if self.kind == "rows" else source.columns

    def of(self, source: AnyAxis, keys: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.int64]:
        """Target of each source element (or of those with flat indices `keys`), -1 for none."""
        if keys is None:
            keys = np.arange(source.size, dtype=np.int64)
        if self.kind == "all":
            return np.zeros(keys.size, np.int64)
        if self.kind == "map":
            assert self.index is not None
            return self.index[keys]
        assert isinstance(source, ProductAxis)
        return keys // source.columns.size if self.kind == "rows" else keys % source.columns.size


ALL = Onto("all")
ROWS = Onto("rows")
COLUMNS = Onto("columns")


class Reduction(Op):
    """Base: `onto` says where each element goes; a target with no element has the value 0."""

    onto: Onto

    def axis(self, axes: Sequence[AnyAxis]) -> AnyAxis:
        return self.onto.axis(axes[0])

    @abstractmethod
    def groupwise(self, values: Array, target: npt.NDArray[np.int64], n_targets: int) -> Array:
        """Reduce flat `values` whose targets are `target` (all >= 0)."""

    def evaluate(self, values: Sequence[Value], axes: Sequence[AnyAxis]) -> Value:
        return self._dense(as_dense(values[0]), axes[0])

    def _dense(self, flat: Array, source: AnyAxis) -> Array:
        target = self.onto.of(source)
        kept = target >= 0
        if not kept.all():
            flat, target = flat[kept], target[kept]
        return self.groupwise(flat, target, self.axis([source]).size)

    def bounds(self, bounds: Sequence[Bounds], axes: Sequence[AnyAxis]) -> Bounds:
        """Bounds of a reduction that never falls when an element rises: reduce the bounds themselves."""
        low, high = (self._of_background(b, axes[0]) for b in (bounds[0].low, bounds[0].high))
        return Bounds.make(low, high)

    def _of_background(self, bound: Array, source: AnyAxis) -> Array:
        return self._dense(full(bound, source), source)


@dataclass(frozen=True, eq=False)
class Total(Reduction):
    """The sum."""

    onto: Onto = ALL

    def groupwise(self, values: Array, target: npt.NDArray[np.int64], n_targets: int) -> Array:
        return summed(target, values, n_targets)

    def evaluate(self, values: Sequence[Value], axes: Sequence[AnyAxis]) -> Value:
        value, source = values[0], axes[0]
        if not isinstance(value, Cells):
            if self.onto.kind == "all":
                return np.array([float(np.sum(value))])
            return self._dense(value, source)
        surplus = value.values - at_keys(value.background, value.keys, value.shape)
        target = self.onto.of(source, value.keys)
        return self._of_background(value.background, source) + summed(
            target, surplus, self.axis([source]).size
        )

    def _of_background(self, bound: Array, source: AnyAxis) -> Array:
        if not (isinstance(source, ProductAxis) and bound.ndim == 2):
            if bound.ndim == 0 and self.onto.kind == "all":
                return np.array([float(bound) * source.size])
            return super()._of_background(bound, source)
        rows, columns = source.rows.size, source.columns.size
        if self.onto.kind == "rows":
            return np.broadcast_to(bound.sum(axis=1) * (columns / max(bound.shape[1], 1)), (rows,)).copy()
        if self.onto.kind == "columns":
            return np.broadcast_to(bound.sum(axis=0) * (rows / max(bound.shape[0], 1)), (columns,)).copy()
        return np.array([float(bound.sum()) * (rows * columns / max(bound.size, 1))])

    def curvature(self, curvatures: Sequence[Curvature], bounds: Sequence[Bounds]) -> Curvature:
        return curvatures[0]

    def integral(self, children: Sequence[bool]) -> bool:
        return children[0]


@dataclass(frozen=True, eq=False)
class Peak(Reduction):
    """The largest value."""

    onto: Onto = ALL

    def groupwise(self, values: Array, target: npt.NDArray[np.int64], n_targets: int) -> Array:
        out = np.full(n_targets, -np.inf)
        np.maximum.at(out, target, values)
        return np.where(np.isneginf(out), 0.0, out)

    def evaluate(self, values: Sequence[Value], axes: Sequence[AnyAxis]) -> Value:
        value, source = values[0], axes[0]
        if not isinstance(value, Cells):
            return self._dense(value, source)
        constant_along = value.background.size == 1 or (
            self.onto.kind == "rows" and value.background.shape[1] == 1
        )
        constant_along = constant_along or (self.onto.kind == "columns" and value.background.shape[0] == 1)
        if not constant_along:
            return self._dense(value.dense(), source)
        n_targets = self.axis([source]).size
        target = self.onto.of(source, value.keys)
        background = np.broadcast_to(value.background.reshape(-1), (n_targets,))
        out = np.full(n_targets, -np.inf)
        np.maximum.at(out, target, value.values)
        untouched = np.bincount(target, minlength=n_targets) < source.size // max(n_targets, 1)
        out = np.where(untouched, np.maximum(out, background), out)
        return np.where(np.isneginf(out), 0.0, out)

    def curvature(self, curvatures: Sequence[Curvature], bounds: Sequence[Bounds]) -> Curvature:
        return compose(Curvature.CONVEX, Monotone.UP, curvatures[0])

    def integral(self, children: Sequence[bool]) -> bool:
        return children[0]


@dataclass(frozen=True, eq=False)
class KthLargest(Reduction):
    """The k-th largest value (k = 1 is the peak); 0 where a target has fewer than k elements."""

    k: int
    onto: Onto = ALL

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InvalidInput(f"k of a k-th largest starts at 1, got {self.k}")

    def groupwise(self, values: Array, target: npt.NDArray[np.int64], n_targets: int) -> Array:
        order, position = _descending(values, target, n_targets)
        picked = order[position == self.k - 1]
        out = np.zeros(n_targets)
        out[target[picked]] = values[picked]
        return out

    def curvature(self, curvatures: Sequence[Curvature], bounds: Sequence[Bounds]) -> Curvature:
        if curvatures[0] is Curvature.CONSTANT:
            return Curvature.CONSTANT
        return compose(Curvature.CONVEX, Monotone.UP, curvatures[0]) if self.k == 1 else Curvature.OTHER

    def integral(self, children: Sequence[bool]) -> bool:
        return children[0]


@dataclass(frozen=True, eq=False)
class LargestSum(Reduction):
    """The sum of the k largest values, of all where there are fewer."""

    k: int
    onto: Onto = ALL

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InvalidInput(f"k of a sum of largest starts at 1, got {self.k}")

    def groupwise(self, values: Array, target: npt.NDArray[np.int64], n_targets: int) -> Array:
        order, position = _descending(values, target, n_targets)
        picked = order[position < self.k]
        return summed(target[picked], values[picked], n_targets)

    def curvature(self, curvatures: Sequence[Curvature], bounds: Sequence[Bounds]) -> Curvature:
        return compose(Curvature.CONVEX, Monotone.UP, curvatures[0])

    def integral(self, children: Sequence[bool]) -> bool:
        return children[0]


def _descending(
    values: Array, target: npt.NDArray[np.int64], n_targets: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Indices sorted by target, then by falling value, and each one's rank within its target."""
    order = np.lexsort((-values, target))
    count = np.bincount(target, minlength=n_targets)
    starts = np.cumsum(count) - count
    return order, np.arange(order.size) - starts[target[order]]
