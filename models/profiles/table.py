"""One operation's measured points, as NumPy columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.errors import InvalidInput, UnknownName
from models.profiles.columns import Axis, Columns, FloatArray
from models.profiles.schema import OperationSchema, operation

__all__ = ["OperationTable", "record_columns"]

Codes = tuple[NDArray[np.generic], NDArray[np.int64]]
"""The distinct values of a column, ascending, and which of them each row has."""


def record_columns(schema: OperationSchema) -> tuple[str, ...]:
    """Columns after the keys, in file order."""
    value = schema.value
    return (
        value,
        f"p10_{value}",
        f"p90_{value}",
        "samples",
        "contended",
        "sm_clock_mhz",
        "temperature_c",
        "kernel",
    )


@dataclass(frozen=True, slots=True)
class OperationTable:
    """The points of one operation; validated when made, never changed.

    Parameters
    ----------
    schema
        The operation.
    columns
        Every key and record column (see `models.profiles.schema`), all of length n. Category columns are
        ``str_``, axes ``int64`` or ``float64``, values ``float64``, ``samples`` ``int64``, ``contended``
        ``bool``.
    """

    schema: OperationSchema
    columns: Columns
    _codes: dict[str, Codes] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def build(
        cls,
        name: str,
        columns: Mapping[str, object],
        *,
        source: str | None = None,
        codes: Mapping[str, Codes] | None = None,
    ) -> OperationTable:
        """Make a table from anything NumPy can turn into columns; record columns but the value are optional.

        Parameters
        ----------
        name
            Operation name.
        columns
            Key columns and the value are required; a scalar stands for a constant column.
        source
            File named in errors.
        codes
            What `codes` would find for some of the columns, where it is known already.

        Raises
        ------
        InvalidInput
            Missing or unknown columns, wrong types, values that cannot be (NaN, zero latency), repeated
            points.
        """
        schema = operation(name)
        where = (name,)
        extra = record_columns(schema)
        known = [k.name for k in schema.keys] + list(extra)
        for column in columns:
            if column not in known:
                raise UnknownName("column", column, known, path=where, source=source)
        for column in [k.name for k in schema.keys] + [schema.value]:
            if column not in columns:
                raise InvalidInput(f"column {column!r} is missing", path=where, source=source)
        n = max(np.size(np.asarray(columns[c])) for c in columns)
        defaults: dict[str, object] = {"samples": 0, "contended": False, "kernel": ""}
        out: Columns = {}
        for column in known:
            given = columns.get(column, defaults.get(column, np.nan))
            array = np.asarray(given)
            if array.ndim > 1 or (array.ndim == 1 and array.size not in {1, n}):
                raise InvalidInput(
                    f"column {column!r} has shape {array.shape}, the others {n} rows",
                    path=where,
                    source=source,
                )
            out[column] = _typed(schema, column, np.broadcast_to(array, (n,)), source)
        table = cls(schema, out)
        table._codes.update(codes or {})
        _check(table, source)
        return table

    def __len__(self) -> int:
        return int(self.value.size)

    def __getitem__(self, column: str) -> NDArray[np.generic]:
        """A column by name; raises `UnknownName`."""
        if column not in self.columns:
            raise UnknownName(f"column of {self.schema.name}", column, self.columns)
        return self.columns[column]

    @property
    def value(self) -> FloatArray:
        """The measured medians, float64[n], in the unit of ``schema.value``."""
        return np.asarray(self.columns[self.schema.value], dtype=np.float64)

    @property
    def relative_spread(self) -> FloatArray:
        """(p90 - p10) / median of each point, float64[n]; NaN where only one sample is known."""
        high = np.asarray(self.columns[f"p90_{self.schema.value}"], dtype=np.float64)
        low = np.asarray(self.columns[f"p10_{self.schema.value}"], dtype=np.float64)
        return (high - low) / self.value

    def numbers(self, column: str) -> FloatArray:
        """An axis or record column as float64[n]."""
        return np.asarray(self[column], dtype=np.float64)

    def codes(self, column: str) -> Codes:
        """The distinct values of a column, ascending, and the place of each row's among them, int64[n]."""
        if column not in self._codes:
            values, places = np.unique(self[column], return_inverse=True)
            self._codes[column] = values, places.astype(np.int64)
        return self._codes[column]

    def combined(self, columns: Sequence[str]) -> NDArray[np.int64]:
        """One number a row, int64[n], that orders rows as the columns do, the first before the second."""
        key = np.zeros(len(self), dtype=np.int64)
        size = 1
        for column in columns:
            values, places = self.codes(column)
            if size * values.size > 2**62:  # number anew the combinations that there are
                kinds, key = np.unique(key, return_inverse=True)
                size = kinds.size
            key = key * values.size + places
            size *= values.size
        return key

    def labels(self, column: str) -> tuple[str, ...]:
        """The distinct values of a category column, sorted."""
        return tuple(str(v) for v in self.codes(column)[0])

    def where(self, **conditions: object) -> OperationTable:
        """The rows whose columns equal these values (or are among them, for a list)."""
        mask = np.ones(len(self), dtype=bool)
        for column, wanted in conditions.items():
            values = list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]
            mask &= np.isin(self[column], np.asarray(values))
        return self.take(np.flatnonzero(mask))

    def take(self, rows: NDArray[np.int64]) -> OperationTable:
        """The rows at these indices, in this order."""
        return OperationTable(self.schema, {k: v[rows] for k, v in self.columns.items()})

    def sorted(self) -> OperationTable:
        """Rows in key order: categories first, then axes. The order files are written in."""
        names = [c.name for c in self.schema.categories] + [a.name for a in self.schema.axes]
        return self.take(np.lexsort([self.columns[n] for n in reversed(names)]).astype(np.int64))


def _typed(
    schema: OperationSchema, column: str, array: NDArray[np.generic], source: str | None
) -> NDArray[np.generic]:
    keys = {k.name: k for k in schema.keys}
    where = (schema.name, column)
    try:
        if column in keys:
            key = keys[column]
            if not isinstance(key, Axis):
                return _frozen(array.astype(np.str_))
            numbers = array.astype(np.float64)
            if not key.integer:
                return _frozen(numbers)
            if not np.all(np.isfinite(numbers)) or np.any(numbers != np.rint(numbers)):
                raise InvalidInput("must hold whole numbers", path=where, source=source)
            return _frozen(numbers.astype(np.int64))
        if column == "kernel":
            return _frozen(array.astype(np.str_))
        if column == "samples":
            return _frozen(array.astype(np.int64))
        if column == "contended":
            return _frozen(array.astype(np.bool_))
        return _frozen(array.astype(np.float64))
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"cannot be read as numbers: {error}", path=where, source=source) from error


def _frozen(array: NDArray[np.generic]) -> NDArray[np.generic]:
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def _refuse_rows(
    bad: NDArray[np.bool_], table: OperationTable, column: str, what: str, source: str | None
) -> None:
    if not bad.any():
        return
    row = int(np.flatnonzero(bad)[0])
    raise InvalidInput(
        f"{what} in {int(bad.sum())} of {len(table)} rows, first in row {row}: {table[column][row]!r}",
        path=(table.schema.name, column),
        source=source,
    )


def _check(table: OperationTable, source: str | None) -> None:
    schema, value = table.schema, table.schema.value
    if len(table) == 0:
        raise InvalidInput("the table is empty", path=(schema.name,), source=source)
    _refuse_rows(
        ~(np.isfinite(table.value) & (table.value > 0)), table, value, "not a positive number", source
    )
    for axis in schema.axes:
        numbers = table.numbers(axis.name)
        _refuse_rows(~(numbers >= axis.minimum), table, axis.name, f"less than {axis.minimum:g}", source)
    for category in schema.categories:
        if "" in table.labels(category.name):
            _refuse_rows(table[category.name] == "", table, category.name, "empty", source)
        if category.choices:
            unknown = sorted(set(table.labels(category.name)) - set(category.choices))
            if unknown:
                raise UnknownName(
                    category.name,
                    unknown[0],
                    category.choices,
                    path=(schema.name, category.name),
                    source=source,
                )
    low, high = table.numbers(f"p10_{value}"), table.numbers(f"p90_{value}")
    slack = 1e-6 * table.value
    wrong = (low > table.value + slack) | (high < table.value - slack) | (low <= 0)
    _refuse_rows(wrong, table, value, "p10 ≤ median ≤ p90 does not hold", source)
    _refuse_rows(table.numbers("samples") < 0, table, "samples", "negative", source)
    _refuse_repeats(table, source)


def _refuse_repeats(table: OperationTable, source: str | None) -> None:
    names = [k.name for k in table.schema.keys]
    key = table.combined(names)
    order = np.argsort(key, kind="stable")
    same = key[order[1:]] == key[order[:-1]]
    if same.any():
        row = int(order[int(np.flatnonzero(same)[0]) + 1])
        point = ", ".join(f"{n}={table[n][row]}" for n in names)
        raise InvalidInput(
            f"{int(same.sum())} points appear twice, first {point}", path=(table.schema.name,), source=source
        )
