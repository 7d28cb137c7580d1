"""Columns that a document refers to by file: NumPy archives, CSV and Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput, UnknownName

__all__ = ["Columns", "is_reference"]

_KEYS = {"file", "column"}


def is_reference(value: object) -> bool:
    """Whether a value of a document is ``{file: …, column: …}``."""
    return isinstance(value, dict) and set(value) == _KEYS


class Columns:
    """Reads columns of files that lie beside the document.

    Parameters
    ----------
    base
        Folder that names of files are relative to; None: the document may not refer to files.
    """

    def __init__(self, base: Path | None) -> None:
        self.base = base
        self._tables: dict[Path, Any] = {}

    def read(self, reference: dict[str, Any]) -> npt.NDArray[Any]:
        """The column as a flat array: float64, int64 or str (an empty text where the file has none).

        Raises
        ------
        InvalidInput
            When the file cannot be read, or the column is not flat or has missing numbers.
        UnknownName
            When the file has no such column.
        """
        name, column = reference["file"], reference["column"]
        if not isinstance(name, str) or not isinstance(column, str):
            raise InvalidInput("file and column are text")
        if self.base is None:
            raise InvalidInput(f"file {name!r}: only a document read from a file may refer to files")
        path = self.base / name
        if not path.is_file():
            raise InvalidInput(f"there is no file {name!r} beside the document")
        array = self._column(path, name, column)
        if array.ndim == 2 and array.dtype.kind in "iuf":
            return array.astype(np.float64)
        if array.ndim != 1:
            raise InvalidInput(f"column {column!r} of {name!r} has shape {array.shape}; a flat one is needed")
        if array.dtype.kind in "iu":
            return array.astype(np.int64)
        if array.dtype.kind == "f":
            if not np.all(np.isfinite(array)):
                raise InvalidInput(f"column {column!r} of {name!r} has missing or infinite numbers")
            return array.astype(np.float64)
        if array.dtype.kind in "UO":
            return np.array(["" if x is None else x for x in array.tolist()], dtype=np.str_)
        raise InvalidInput(f"column {column!r} of {name!r} holds {array.dtype}, not numbers or names")

    def _column(self, path: Path, name: str, column: str) -> npt.NDArray[Any]:
        suffix = path.suffix.lower()
        try:
            if suffix == ".npz":
                with np.load(path, allow_pickle=False) as archive:
                    if column not in archive.files:
                        raise UnknownName(f"column of {name}", column, archive.files)
                    return np.asarray(archive[column])
            if suffix in (".csv", ".parquet"):
                table = self._table(path)
                if column not in table.column_names:
                    raise UnknownName(f"column of {name}", column, table.column_names)
                return np.asarray(table.column(column).to_numpy())
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise InvalidInput(f"{name!r} cannot be read: {error}") from None
        raise InvalidInput(f"{name!r}: files of columns end in .npz, .csv or .parquet")

    def _table(self, path: Path) -> Any:
        if path not in self._tables:
            if path.suffix.lower() == ".csv":
                from pyarrow import csv

                self._tables[path] = csv.read_csv(path)
            else:
                from pyarrow import parquet

                self._tables[path] = parquet.read_table(path)
        return self._tables[path]
