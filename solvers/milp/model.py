"""A mixed-integer linear model: built in bulk, handed to a backend as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import sparse

from models.graph.cells import Array
from solvers.milp.grain import ONE, UNKNOWN
from solvers.milp.linear import Indices, Linear

__all__ = ["MilpModel", "ModelBuilder", "Rows"]


@dataclass(frozen=True, eq=False, slots=True)
class MilpModel:
    """``row_lower <= matrix · x <= row_upper``, ``lower <= x <= upper``, some x whole.

    Parameters
    ----------
    lower, upper
        float64[n_columns], finite.
    integer
        bool[n_columns].
    grain
        int64[n_columns]: what the values are whole multiples of, see `solvers.milp.grain`.
    owner
        int64[n_columns]: index of the node that made the column, -1 for the decision itself.
    matrix
        CSR, n_rows × n_columns.
    row_lower, row_upper
        float64[n_rows], may be infinite.
    block
        int64[n_rows]: which limit of the problem the row states (index into `Lowered.limits`), -1 for rows
        that define columns.
    """

    lower: Array
    upper: Array
    integer: npt.NDArray[np.bool_]
    grain: Indices
    owner: Indices
    matrix: sparse.csr_array
    row_lower: Array
    row_upper: Array
    block: Indices

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.lower.size)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.row_lower.size)

    def with_rows(self, rows: Rows) -> MilpModel:
        """The model with more rows."""
        shape = (rows.linear.n, self.n_columns)
        more = sparse.csr_array((rows.linear.coefficient, (rows.linear.row, rows.linear.column)), shape=shape)
        return MilpModel(
            self.lower,
            self.upper,
            self.integer,
            self.grain,
            self.owner,
            sparse.csr_array(sparse.vstack([self.matrix, more], format="csr")),
            np.concatenate([self.row_lower, rows.lower - rows.linear.constant]),
            np.concatenate([self.row_upper, rows.upper - rows.linear.constant]),
            np.concatenate([self.block, rows.block]),
        )


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """``lower <= linear <= upper`` for each expression; `block` as in `MilpModel`."""

    linear: Linear
    lower: Array
    upper: Array
    block: Indices


@dataclass(slots=True)
class ModelBuilder:
    """Collects columns and rows."""

    n_columns: int = 0
    _lower: list[Array] = field(default_factory=list)
    _upper: list[Array] = field(default_factory=list)
    _integer: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    _grain: list[Indices] = field(default_factory=list)
    _owner: list[Indices] = field(default_factory=list)
    owner: int = -1
    _rows: list[Rows] = field(default_factory=list)

    def columns(
        self, lower: Array, upper: Array, *, integer: bool = False, grain: Indices | None = None
    ) -> Indices:
        """New columns, one for each entry of the bounds; their indices.

        `integer`: the backend must make them whole. `grain`: int64 for each, what the values they stand for
        are multiples of (see `solvers.milp.grain`); unknown by default.
        """
        first = self.n_columns
        self._lower.append(np.asarray(lower, np.float64))
        self._upper.append(np.asarray(upper, np.float64))
        self._integer.append(np.full(lower.size, integer))
        if integer or grain is None:
            grain = np.full(lower.size, ONE if integer else UNKNOWN)
        self._grain.append(grain)
        self._owner.append(np.full(lower.size, self.owner))
        self.n_columns += lower.size
        return np.arange(first, self.n_columns, dtype=np.int64)

    def rows(
        self,
        linear: Linear,
        *,
        lower: Array | float = -np.inf,
        upper: Array | float = np.inf,
        block: Indices | int = -1,
    ) -> None:
        """Require ``lower <= linear <= upper`` for each expression."""
        n = linear.n
        if n:
            self._rows.append(
                Rows(
                    linear,
                    np.broadcast_to(np.asarray(lower, np.float64), (n,)),
                    np.broadcast_to(np.asarray(upper, np.float64), (n,)),
                    np.broadcast_to(np.asarray(block, np.int64), (n,)),
                )
            )

    def column_bounds(self) -> tuple[Array, Array, Indices]:
        """Lower bounds, upper bounds and grains of all columns so far."""
        if not self._lower:
            return np.empty(0), np.empty(0), np.empty(0, np.int64)
        if len(self._lower) > 1:
            self._lower = [np.concatenate(self._lower)]
            self._upper = [np.concatenate(self._upper)]
            self._grain = [np.concatenate(self._grain)]
        return self._lower[0], self._upper[0], self._grain[0]

    def build(self) -> MilpModel:
        """The finished model."""
        lower, upper, grain = self.column_bounds()
        owner = np.concatenate(self._owner) if self._owner else np.empty(0, np.int64)
        integer = np.concatenate(self._integer) if self._integer else np.empty(0, np.bool_)
        if not self._rows:
            empty = sparse.csr_array((0, self.n_columns), dtype=np.float64)
            none = np.empty(0)
            return MilpModel(lower, upper, integer, grain, owner, empty, none, none, np.empty(0, np.int64))
        linear = Linear.stacked([r.linear for r in self._rows])
        shape = (linear.n, self.n_columns)
        matrix = sparse.csr_array(
            (linear.coefficient, linear.column.astype(np.int32), linear.indptr.astype(np.int32)), shape=shape
        )
        return MilpModel(
            lower,
            upper,
            integer,
            grain,
            owner,
            matrix,
            np.concatenate([r.lower for r in self._rows]) - linear.constant,
            np.concatenate([r.upper for r in self._rows]) - linear.constant,
            np.concatenate([r.block for r in self._rows]),
        )
