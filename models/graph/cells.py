"""Values over an axis: flat arrays, or `Cells` where nearly all elements share a background."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from models.errors import Unsupported
from models.graph.axis import AnyAxis, ProductAxis

__all__ = [
    "DENSE_LIMIT",
    "Array",
    "Cells",
    "Value",
    "as_dense",
    "at_keys",
    "elementwise",
    "is_sparse",
    "summed",
]

Array: TypeAlias = npt.NDArray[np.float64]

DENSE_LIMIT = 50_000_000
"""Largest number of pairs ever turned into a dense array."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Values over (rows × columns): `background` everywhere but at `keys`.

    Parameters
    ----------
    shape
        (rows, columns).
    background
        float64, two-dimensional, broadcastable to `shape`.
    keys
        int64, sorted and unique flat indices ``row * columns + column``.
    values
        float64, one for each key.
    """

    shape: tuple[int, int]
    background: Array
    keys: npt.NDArray[np.int64]
    values: Array

    def at(self, keys: npt.NDArray[np.int64]) -> Array:
        """Values at any flat indices `keys` (int64[n], any order)."""
        out = at_keys(self.background, keys, self.shape)
        if self.keys.size:
            place = np.minimum(np.searchsorted(self.keys, keys), self.keys.size - 1)
            hit = self.keys[place] == keys
            out[hit] = self.values[place[hit]]
        return out

    def dense(self) -> Array:
        """float64[rows * columns]. Raises Unsupported above `DENSE_LIMIT` pairs."""
        rows, columns = self.shape
        if rows * columns > DENSE_LIMIT:
            raise Unsupported(
                f"{rows} × {columns} pairs are too many to hold densely (limit {DENSE_LIMIT}); "
                "use a spec whose value is zero for absent groups"
            )
        out = np.broadcast_to(self.background, self.shape).reshape(-1).copy()
        out[self.keys] = self.values
        return out


Value: TypeAlias = Array | Cells


def is_sparse(axis: AnyAxis) -> bool:
    """Whether values over `axis` are `Cells`."""
    return isinstance(axis, ProductAxis) and axis.sparse


def as_dense(value: Value) -> Array:
    """The flat array of any value."""
    return value.dense() if isinstance(value, Cells) else value


def summed(index: npt.NDArray[np.integer], values: Array, n: int) -> Array:
    """float64[n]: sum of `values` for each index; also where there is none to sum."""
    return np.bincount(index, values, n).astype(np.float64, copy=False)


def at_keys(values: Array, keys: npt.NDArray[np.int64], shape: tuple[int, int]) -> Array:
    """Entries of `values` (two-dimensional, broadcastable to `shape`) at flat indices `keys`."""
    if values.ndim == 0:
        return np.full(keys.size, float(values))
    rows, columns = np.divmod(keys, shape[1])
    out: Array = values[rows if values.shape[0] > 1 else 0, columns if values.shape[1] > 1 else 0]
    return np.broadcast_to(out, keys.shape).copy()


def elementwise(function: Callable[..., Array], values: Sequence[Value | Array], axis: AnyAxis) -> Value:
    """`function` applied element by element over operands of one axis.

    Operands over a sparse axis are `Cells` or constants broadcastable to (rows, columns); over any other axis
    flat arrays or scalars. Stored keys of the result are the union of the operands' keys.
    """
    if not is_sparse(axis):
        return np.broadcast_to(function(*values), (axis.size,)).astype(np.float64, copy=False)
    assert isinstance(axis, ProductAxis)
    shape = (axis.rows.size, axis.columns.size)
    stored = [v.keys for v in values if isinstance(v, Cells)]
    if len(stored) == 1 or all(k is stored[0] for k in stored[1:]):
        keys = stored[0] if stored else np.empty(0, np.int64)
    else:
        keys = np.unique(np.concatenate(stored))
    background = function(
        *[v.background if isinstance(v, Cells) else np.asarray(v, np.float64) for v in values]
    )
    background = np.asarray(background, np.float64)
    if background.ndim != 2:
        background = background.reshape(1, 1)
    at = [
        (v.values if keys is v.keys else v.at(keys))
        if isinstance(v, Cells)
        else at_keys(np.asarray(v, np.float64), keys, shape)
        for v in values
    ]
    return Cells(shape, background, keys, np.asarray(function(*at), np.float64).reshape(keys.size))
