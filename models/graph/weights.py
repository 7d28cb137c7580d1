"""What an object counts for, possibly depending on where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

from models.errors import InvalidInput
from models.graph.cells import Array

__all__ = ["DynamicWeights", "StaticWeights", "Weights"]


def _finite(name: str, values: Array) -> None:
    if not np.all(np.isfinite(values)):
        raise InvalidInput(f"{name}: weights must be finite numbers")


@dataclass(frozen=True, eq=False)
class StaticWeights:
    """``values``: float64[n_objects, n_components]; one component unless the dimension is a vector."""

    values: Array

    def __post_init__(self) -> None:
        if self.values.ndim != 2:
            raise InvalidInput("static weights are two-dimensional: objects × components")
        _finite("static weights", self.values)

    @classmethod
    def of(cls, values: npt.ArrayLike) -> StaticWeights:
        """From float[n_objects] or float[n_objects, n_components]."""
        array = np.asarray(values, np.float64)
        return cls(array.reshape(array.shape[0], -1) if array.ndim != 2 else array)

    @property
    def n_components(self) -> int:
        """Number of components of the dimension."""
        return int(self.values.shape[1])

    def at(self, objects: npt.NDArray[np.integer], items: npt.NDArray[np.integer]) -> Array:
        """float64[n, n_components]: weight of ``objects[i]`` on ``items[i]``."""
        del items
        return np.asarray(self.values[objects])

    def extremes(self, n_items: int) -> tuple[Array, Array]:
        """Smallest and largest weight of each object on any item: float64[n_objects, n_components] twice."""
        del n_items
        return self.values, self.values

    @property
    def integral(self) -> bool:
        """Whether all weights are whole numbers."""
        return bool(np.all(self.values == np.rint(self.values)))


@dataclass(frozen=True, eq=False)
class DynamicWeights:
    """The weight of object o on item s is ``table[rows[o], s]`` where stored, else ``base[o]``.

    Parameters
    ----------
    base
        float64[n_objects].
    rows
        int32[n_objects]: row of `table`, -1 for none; objects that behave alike share a row.
    table
        scipy CSR matrix, n_rows × n_items, sorted; an explicitly stored zero is a weight of zero.
    """

    base: Array
    rows: npt.NDArray[np.int32]
    table: sparse.csr_array

    def __post_init__(self) -> None:
        if self.base.shape != self.rows.shape or self.base.ndim != 1:
            raise InvalidInput("dynamic weights need one base and one row for each object")
        if self.rows.size and self.rows.max() >= self.table.shape[0]:
            raise InvalidInput("dynamic weights name a table row that does not exist")
        _finite("dynamic weights", self.base)
        _finite("dynamic weights", np.asarray(self.table.data, np.float64))
        self.table.sort_indices()

    @property
    def n_components(self) -> int:
        """Dynamic dimensions have one component."""
        return 1

    def at(self, objects: npt.NDArray[np.integer], items: npt.NDArray[np.integer]) -> Array:
        """float64[n, 1]: weight of ``objects[i]`` on ``items[i]``."""
        out = self.base[objects].copy()
        rows = self.rows[objects]
        n_items = self.table.shape[1]
        if self.table.nnz:
            counts = np.diff(self.table.indptr)
            stored = np.repeat(np.arange(counts.size, dtype=np.int64), counts) * n_items + self.table.indices
            wanted = rows.astype(np.int64) * n_items + items
            place = np.minimum(np.searchsorted(stored, wanted), stored.size - 1)
            hit = (rows >= 0) & (stored[place] == wanted)
            out[hit] = self.table.data[place[hit]]
        return np.asarray(out.reshape(-1, 1), np.float64)

    def extremes(self, n_items: int) -> tuple[Array, Array]:
        """Smallest and largest weight of each object on any item: float64[n_objects, 1] twice."""
        low, high = self.base.copy(), self.base.copy()
        if self.table.nnz:
            counts = np.diff(self.table.indptr)
            full = counts == n_items
            filled = counts > 0
            row_low, row_high = np.full(counts.size, np.inf), np.full(counts.size, -np.inf)
            starts = self.table.indptr[:-1][filled]
            row_low[filled] = np.minimum.reduceat(self.table.data, starts)
            row_high[filled] = np.maximum.reduceat(self.table.data, starts)
            has = self.rows >= 0
            row = self.rows[has]
            # where every item is stored, the base never applies
            low[has] = np.where(full[row], row_low[row], np.minimum(low[has], row_low[row]))
            high[has] = np.where(full[row], row_high[row], np.maximum(high[has], row_high[row]))
        return low.reshape(-1, 1), high.reshape(-1, 1)

    @property
    def integral(self) -> bool:
        """Whether all weights are whole numbers."""
        data = np.asarray(self.table.data, np.float64)
        return bool(np.all(self.base == np.rint(self.base)) and np.all(data == np.rint(data)))


Weights: TypeAlias = StaticWeights | DynamicWeights
