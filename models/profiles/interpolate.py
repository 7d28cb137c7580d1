"""Answers for points nobody measured: exact → interpolated → extrapolated by utilisation → refused.

Points that agree in every category column form a group. Per group a `Reference` roofline is fitted, and
the logarithm of latency ÷ reference is interpolated over the logarithms of the axes (`scattered`).
Outside the measured range the query is moved to the nearest edge and the *ratio* found there is held
while the reference goes on growing with the work: latency is never extrapolated as such. Too far outside,
or in a group nobody measured, there is no answer but a reason.

A query counts as measured range when some measured job is at least as large on every axis and another at
least as small: a box with missing corners (batches that did not fit) is not inside there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from models.errors import InvalidInput, Unavailable, UnknownName
from models.profiles.columns import Columns, FloatArray
from models.profiles.groups import Group, coordinates_of, split_groups
from models.profiles.table import OperationTable

__all__ = ["MAX_OCTAVES_OUTSIDE", "Basis", "Estimate", "Interpolator"]

MAX_OCTAVES_OUTSIDE = 4.0
"""How far outside the measured range, on any axis, utilisation is still held: a factor of 16."""


class Basis(IntEnum):
    """What an estimate rests on, best first."""

    EXACT = 0
    INTERPOLATED = 1
    EXTRAPOLATED = 2
    REFUSED = 3


@dataclass(frozen=True, slots=True)
class Estimate:
    """Answers to q queries.

    Parameters
    ----------
    value
        float64[q], in the unit of the operation's value (latency in microseconds); NaN where refused.
    basis
        int8[q], see `Basis`.
    relative_error
        float64[q]: typical relative error: 0 where exact, else the leave-one-out residuals near the
        query, growing by half for each octave outside the measured range. NaN where refused.
    reasons
        Why queries were refused, distinct sentences in order of appearance; empty when none was.
    """

    value: FloatArray
    basis: NDArray[np.int8]
    relative_error: FloatArray
    reasons: tuple[str, ...] = ()

    def require(self) -> FloatArray:
        """The values; raises `Unavailable` with the first reason when any query was refused."""
        if self.reasons:
            raise Unavailable(self.reasons[0])
        return self.value


class Interpolator:
    """Answers queries from one operation table; see the module's description.

    Parameters
    ----------
    table
        The measured points.
    max_octaves_outside
        Queries farther than this outside the measured range of any axis are refused.
    """

    def __init__(self, table: OperationTable, *, max_octaves_outside: float = MAX_OCTAVES_OUTSIDE) -> None:
        self.table = table
        self.schema = table.schema
        self.max_octaves_outside = max_octaves_outside
        self._names = tuple(c.name for c in self.schema.categories)
        self.groups = split_groups(table)

    def estimate(self, queries: Mapping[str, object]) -> Estimate:
        """Answer queries given as columns.

        Parameters
        ----------
        queries
            Every axis and category of the operation, scalars or arrays of one length q. A category with a
            single value in the table may be left out.

        Raises
        ------
        InvalidInput
            Missing, unknown or ill-shaped columns; axis values below their minimum.
        """
        columns, count = self._columns(queries)
        value = np.full(count, np.nan)
        error = np.full(count, np.nan)
        basis = np.full(count, Basis.REFUSED, dtype=np.int8)
        reasons: dict[str, None] = {}
        for key, rows in _rows_by_label([columns[n] for n in self._names], count):
            group = self.groups.get(key)
            if group is None:
                reasons[self._unmeasured(key)] = None
                continue
            part = {name: column[rows] for name, column in columns.items()}
            value[rows], error[rows], basis[rows] = self._answer(group, part, reasons)
        return Estimate(value, basis, error, tuple(reasons))

    def _columns(self, queries: Mapping[str, object]) -> tuple[Columns, int]:
        keys = {k.name: k for k in self.schema.keys}
        for name in queries:
            if name not in keys:
                raise UnknownName("column", name, keys, path=(self.schema.name,))
        arrays = {name: np.atleast_1d(np.asarray(value)) for name, value in queries.items()}
        for category in self.schema.categories:
            if category.name not in arrays:
                present = self.table.labels(category.name)
                if len(present) > 1:
                    raise InvalidInput(
                        f"state {category.name!r}: the table has {', '.join(present)}",
                        path=(self.schema.name,),
                    )
                arrays[category.name] = np.array([present[0]])
        count = max((a.size for a in arrays.values()), default=1)
        out: Columns = {}
        for name, key in keys.items():
            where = (self.schema.name, name)
            if name not in arrays:
                raise InvalidInput("state this column", path=where)
            if arrays[name].ndim != 1 or arrays[name].size not in {1, count}:
                raise InvalidInput(f"has shape {arrays[name].shape}, others {count} rows", path=where)
            column = np.broadcast_to(arrays[name], (count,))
            if key.kind == "category":
                out[name] = column.astype(np.str_)
                continue
            numbers = column.astype(np.float64)
            out[name] = numbers
            if not np.all(numbers >= key.minimum):
                raise InvalidInput(f"must be at least {key.minimum:g}", path=where)
        return out, count

    def _unmeasured(self, key: tuple[str, ...]) -> str:
        asked = ", ".join(f"{n}={v}" for n, v in zip(self._names, key, strict=True))
        for name, wanted in zip(self._names, key, strict=True):
            present = self.table.labels(name)
            if wanted not in present:
                known = ", ".join(present)
                return f"{self.schema.name}: {name} {wanted!r} was not measured; the table has {known}"
        return f"{self.schema.name}: the combination {asked} was not measured"

    def _answer(
        self, group: Group, part: Columns, reasons: dict[str, None]
    ) -> tuple[FloatArray, FloatArray, NDArray[np.int8]]:
        coordinates = coordinates_of(self.schema, part)
        count = len(part[self.schema.keys[0].name])
        basis = np.full(count, Basis.REFUSED, dtype=np.int8)
        value, error = np.full(count, np.nan), np.full(count, np.nan)
        if not self.schema.axes:
            value[:], error[:], basis[:] = group.table.value[0], 0.0, Basis.EXACT
            return value, error, basis
        if group.log_ratio is None or group.reference is None or self.schema.work is None:
            hit, row = group.find(coordinates)
            value[hit], error[hit], basis[hit] = group.table.value[row[hit]], 0.0, Basis.EXACT
            if not hit.all():
                reasons[f"{self.schema.name}: too few points to interpolate in {group.labels}"] = None
            return value, error, basis

        clamped = np.clip(coordinates, group.coordinates.min(axis=0), group.coordinates.max(axis=0))
        beyond = np.abs(coordinates - clamped)
        answered = beyond.max(axis=1) <= self.max_octaves_outside
        self._refuse_far(group, part, beyond, ~answered, reasons)
        ratio = np.exp(group.log_ratio(clamped))
        value[answered] = (ratio * group.reference.latency_us(*self.schema.work(part)))[answered]
        error[answered] = (group.local_error(clamped) * 1.5 ** beyond.sum(axis=1))[answered]
        inside = (beyond.max(axis=1) == 0) & group.brackets(coordinates)
        basis[answered] = np.where(inside, Basis.INTERPOLATED, Basis.EXTRAPOLATED)[answered]

        distance, nearest = group.log_ratio.nearest(coordinates)
        exact = distance[:, 0] < 1e-9
        value[exact] = group.table.value[nearest[exact, 0]]
        error[exact], basis[exact] = 0.0, Basis.EXACT
        return value, error, basis

    def _refuse_far(
        self,
        group: Group,
        part: Columns,
        beyond: FloatArray,
        refused: NDArray[np.bool_],
        reasons: dict[str, None],
    ) -> None:
        farthest = np.argmax(beyond, axis=1)
        for number, axis in enumerate(self.schema.axes):
            rows = refused & (farthest == number)
            if rows.any():
                known, asked = group.table.numbers(axis.name), part[axis.name][rows][0]
                reasons[
                    f"{self.schema.name}: {axis.name} = {asked:g} is more than a factor of "
                    f"{2**self.max_octaves_outside:g} outside the measured {known.min():g} to {known.max():g}"
                ] = None


def _rows_by_label(
    labels: list[NDArray[np.generic]], count: int
) -> list[tuple[tuple[str, ...], NDArray[np.int64]]]:
    """Split query rows by their combination of labels, through integer codes: text compares slowly."""
    code = np.zeros(count, dtype=np.int64)
    for column in labels:
        names, part = np.unique(column, return_inverse=True)
        code = code * len(names) + part
    _, first, member = np.unique(code, return_index=True, return_inverse=True)
    return [
        (tuple(str(column[row]) for column in labels), np.flatnonzero(member == number).astype(np.int64))
        for number, row in enumerate(first)
    ]
