"""Arrays of affine expressions over the columns of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.graph.cells import Array

__all__ = ["Indices", "Linear"]

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Linear:
    """``n`` affine expressions: ``Σ coefficient · column + constant``.

    Parameters
    ----------
    row, column
        int64[nnz], sorted by (row, column), pairs unique.
    coefficient
        float64[nnz], no zeros.
    constant
        float64[n].
    """

    row: Indices
    column: Indices
    coefficient: Array
    constant: Array

    @property
    def n(self) -> int:
        """Number of expressions."""
        return int(self.constant.size)

    @property
    def indptr(self) -> Indices:
        """int64[n + 1]: where each expression's entries start."""
        out = np.zeros(self.n + 1, np.int64)
        np.cumsum(np.bincount(self.row, minlength=self.n), out=out[1:])
        return out

    @classmethod
    def constants(cls, values: Array) -> Linear:
        """Expressions without columns."""
        none = np.empty(0, np.int64)
        return cls(none, none, np.empty(0), np.asarray(values, np.float64))

    @classmethod
    def of_columns(cls, columns: Indices) -> Linear:
        """One expression for each of `columns`, the column itself."""
        n = columns.size
        return cls(np.arange(n), columns.astype(np.int64), np.ones(n), np.zeros(n))

    @classmethod
    def collected(cls, row: Indices, column: Indices, coefficient: Array, constant: Array) -> Linear:
        """From entries in any order; entries of one (row, column) are added up."""
        from scipy import sparse

        shape = (constant.size, int(column.max(initial=-1)) + 1)
        made = sparse.coo_array((coefficient, (row, column)), shape=shape).tocsr()
        made.sum_duplicates()
        made.eliminate_zeros()
        rows = np.repeat(np.arange(constant.size), np.diff(made.indptr))
        return cls(rows, made.indices.astype(np.int64), np.asarray(made.data, np.float64), constant)

    @classmethod
    def summed(cls, terms: Sequence[Linear]) -> Linear:
        """Element-by-element sum of expressions of one length."""
        if len(terms) == 1:
            return terms[0]
        constant = np.sum([t.constant for t in terms], axis=0)
        return cls.collected(
            np.concatenate([t.row for t in terms]),
            np.concatenate([t.column for t in terms]),
            np.concatenate([t.coefficient for t in terms]),
            constant,
        )

    @classmethod
    def stacked(cls, parts: Sequence[Linear]) -> Linear:
        """The expressions of `parts`, one after another."""
        offset = np.cumsum([0, *[p.n for p in parts]])
        return cls(
            np.concatenate([p.row + o for p, o in zip(parts, offset, strict=False)]),
            np.concatenate([p.column for p in parts]),
            np.concatenate([p.coefficient for p in parts]),
            np.concatenate([p.constant for p in parts]),
        )

    def scaled(self, factor: Array | float) -> Linear:
        """Each expression times its factor: a number or float64[n]."""
        if np.ndim(factor) == 0:
            if factor == 0:
                return Linear.constants(np.zeros(self.n))
            return Linear(self.row, self.column, self.coefficient * factor, self.constant * factor)
        by_row = np.broadcast_to(np.asarray(factor, np.float64), (self.n,))
        kept = by_row[self.row] != 0
        return Linear(
            self.row[kept],
            self.column[kept],
            self.coefficient[kept] * by_row[self.row[kept]],
            self.constant * by_row,
        )

    def shifted(self, by: Array | float) -> Linear:
        """Each expression plus its constant: a number or float64[n]."""
        return Linear(self.row, self.column, self.coefficient, self.constant + by)

    def __add__(self, other: Linear) -> Linear:
        return Linear.summed([self, other])

    def __sub__(self, other: Linear) -> Linear:
        return Linear.summed([self, other.scaled(-1.0)])

    def taken(self, rows: Indices) -> Linear:
        """The expressions with indices `rows`, in that order, repeats allowed."""
        if rows.size == self.n and np.array_equal(rows, np.arange(self.n)):
            return self
        indptr = self.indptr
        count = indptr[rows + 1] - indptr[rows]
        total = int(count.sum())
        entry = np.arange(total) + np.repeat(indptr[rows] - (np.cumsum(count) - count), count)
        return Linear(
            np.repeat(np.arange(rows.size), count),
            self.column[entry],
            self.coefficient[entry],
            self.constant[rows],
        )

    def reduced(self, target: Indices, n: int) -> Linear:
        """Sums: expression i is added to expression ``target[i]`` of `n`; -1 leaves it out."""
        kept = target[self.row] >= 0
        constant = np.bincount(target[target >= 0], self.constant[target >= 0], n).astype(np.float64)
        return Linear.collected(target[self.row[kept]], self.column[kept], self.coefficient[kept], constant)

    def values(self, x: Array) -> Array:
        """float64[n]: the expressions' values where the columns have the values `x`."""
        terms = self.coefficient * x[self.column]
        return np.bincount(self.row, terms, self.n).astype(np.float64) + self.constant
