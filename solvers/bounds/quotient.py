"""A linear programme made smaller by its symmetries, with the same optimum.

Columns that look alike (same bounds and cost, same coefficients in rows that look alike) have a common value
in some optimal solution: the average over the symmetry. Colour refinement finds the coarsest such partition
(Grohe, Kersting, Mladenov, Selman 2014, "Dimension reduction via colour refinement"). Identical nodes of a
fleet collapse into one this way, whatever the constraints are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from models.graph.cells import Array
from solvers.milp.linear import Indices
from solvers.milp.model import MilpModel

__all__ = ["Quotient", "quotient"]

MOST_ROUNDS = 200
"""Refinement stops here at the latest; then the model is used as it is."""


@dataclass(frozen=True, eq=False, slots=True)
class Quotient:
    """The smaller model and how it came about.

    ``column_of``: int64[n_columns], ``row_of``: int64[n_rows]: class of each; a column of the quotient is the
    common value of its class, a row any one row of its class.
    """

    model: MilpModel
    column_of: Indices
    row_of: Indices
    column_size: Indices

    def cost(self, cost: Array) -> Array:
        """Costs of the quotient's columns, for costs the partition was made with."""
        return np.bincount(self.column_of, cost, self.column_size.size).astype(np.float64)


def quotient(model: MilpModel, costs: Array) -> Quotient:
    """Merge what colour refinement cannot tell apart.

    Parameters
    ----------
    costs
        float64[k, n_columns]: objectives (and rows to be added later) the partition must respect.
    """
    matrix = model.matrix
    rows = np.repeat(np.arange(model.n_rows), np.diff(matrix.indptr))
    columns = matrix.indices.astype(np.int64)
    value = _codes(matrix.data)
    column = _joint([model.lower, model.upper, model.integer.astype(float), *costs])
    row = _joint([model.row_lower, model.row_upper])
    found = (-1, -1)
    for _ in range(MOST_ROUNDS):
        row = _refined(row, rows, value, column[columns], model.n_rows)
        column = _refined(column, columns, value, row[rows], model.n_columns)
        now = (int(row.max(initial=-1)), int(column.max(initial=-1)))
        if now == found:
            break
        found = now
    else:
        row, column = np.arange(model.n_rows), np.arange(model.n_columns)
    return _merged(model, column, row)


def _codes(values: Array) -> Indices:
    return np.asarray(np.unique(values, return_inverse=True)[1], np.int64)


def _joint(values: list[Array]) -> Indices:
    label = np.zeros(values[0].size, np.int64)
    for v in values:
        code = _codes(v)
        label = np.unique(label * (int(code.max(initial=0)) + 1) + code, return_inverse=True)[1]
    return label.astype(np.int64)


def _mixed(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A well-spread 64-bit hash of each number (the finaliser of SplitMix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)), np.uint64)


def _refined(colour: Indices, owner: Indices, value: Indices, other: Indices, n: int) -> Indices:
    """New colours: split by the multiset of (coefficient, colour of the other end) each owner sees."""
    with np.errstate(over="ignore"):
        # + 1: the finaliser maps 0 to 0, which would make the entry invisible in the sum
        end = _mixed(other.astype(np.uint64) + np.uint64(1))
        entry = _mixed((value.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + end)
        seen = np.zeros(n, np.uint64)
        np.add.at(seen, owner, entry)
        label = _mixed(seen) ^ _mixed(colour.astype(np.uint64) + np.uint64(1))
    # the old colour stays part of the new one, so that classes only ever split
    pairs = np.stack([colour.astype(np.uint64), label])
    return np.unique(pairs, axis=1, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _merged(model: MilpModel, column: Indices, row: Indices) -> Quotient:
    _, first_column, column_size = np.unique(column, return_index=True, return_counts=True)
    _, first_row = np.unique(row, return_index=True)
    n = first_column.size
    chosen = model.matrix[first_row].tocoo()
    merged = sparse.coo_array(
        (chosen.data, (chosen.row, column[chosen.col])), shape=(first_row.size, n)
    ).tocsr()
    merged.sum_duplicates()
    small = MilpModel(
        model.lower[first_column],
        model.upper[first_column],
        np.zeros(n, np.bool_),
        model.grain[first_column],
        model.owner[first_column],
        sparse.csr_array(merged),
        model.row_lower[first_row],
        model.row_upper[first_row],
        model.block[first_row],
    )
    return Quotient(small, column, row, column_size.astype(np.int64))
