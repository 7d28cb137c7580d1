"""One operation table ↔ one Parquet file. Equal tables give equal bytes for one version of pyarrow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import InvalidInput
from models.profiles.columns import Axis
from models.profiles.schema import OperationSchema, operation
from models.profiles.table import Codes, OperationTable, record_columns

__all__ = ["read_table", "write_table"]


def _arrow_schema(schema: OperationSchema) -> Any:
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    fields = []
    for key in schema.keys:
        kind = text if not isinstance(key, Axis) else pa.int64() if key.integer else pa.float64()
        fields.append(pa.field(key.name, kind, nullable=False))
    kinds = {"samples": pa.int32(), "contended": pa.bool_(), "kernel": text}
    # Medians and spreads are good to far less than the 7 digits of float32.
    fields += [pa.field(name, kinds.get(name, pa.float32())) for name in record_columns(schema)]
    return pa.schema(fields)


def write_table(table: OperationTable, path: Path) -> None:
    """Write and flush to disk; unknown numbers (NaN) become nulls."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _arrow_schema(table.schema)
    arrays = []
    for field in schema:
        values = table[field.name]
        if pa.types.is_dictionary(field.type):
            arrays.append(pa.array(values.tolist(), type=pa.string()).dictionary_encode())
        elif pa.types.is_floating(field.type):
            arrays.append(pa.array(values, type=field.type, from_pandas=True))
        else:
            arrays.append(pa.array(values, type=field.type))
    with path.open("wb") as file:
        pq.write_table(
            pa.table(arrays, schema=schema),
            file,
            compression="zstd",
            compression_level=9,
            write_statistics=False,
        )
        file.flush()
        os.fsync(file.fileno())


def read_table(path: Path, name: str) -> OperationTable:
    """Read and validate the table of operation `name`; raises `InvalidInput` naming the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    operation(name)
    try:
        # One file: `read_table` would load pyarrow's data-set machinery and infer partitions from the path.
        with path.open("rb") as file, pq.ParquetFile(file) as parquet:
            data = parquet.read()
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput(f"not a readable Parquet file: {error}", source=str(path)) from error
    columns: dict[str, object] = {}
    codes: dict[str, Codes] = {}
    for field in data.schema:
        column = data[field.name].combine_chunks()
        if pa.types.is_dictionary(field.type):
            column = column.cast(pa.string())
        if column.null_count and not pa.types.is_floating(column.type):
            raise InvalidInput(
                f"column {field.name!r} has empty cells", path=(name, field.name), source=str(path)
            )
        if pa.types.is_string(column.type):
            coded = column.dictionary_encode()  # few labels, many rows
            labels, places = np.unique(
                np.asarray(coded.dictionary.to_pylist(), dtype=np.str_), return_inverse=True
            )
            codes[field.name] = labels, places.astype(np.int64)[_values(coded.indices)]
            columns[field.name] = labels[codes[field.name][1]]
        else:
            columns[field.name] = _values(column)
    return OperationTable.build(name, columns, source=str(path), codes=codes)


def _values(column: Any) -> Any:
    """An array of arrow's as one of NumPy's, with NaN for empty cells.

    As its ``to_numpy``, which imports pandas wherever that is installed: a third of a second a process.
    """
    import pyarrow as pa

    kind = column.type
    if pa.types.is_boolean(kind):
        return _values(column.cast(pa.uint8())).astype(np.bool_)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return column.to_numpy(zero_copy_only=False)
    if not column.null_count:
        return np.from_dlpack(column)
    full = pa.Array.from_buffers(kind, len(column), [None, column.buffers()[1]], offset=column.offset)
    return np.where(_values(column.is_null()), np.nan, np.from_dlpack(full))
