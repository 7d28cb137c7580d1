"""Columns of profile tables: what identifies a point, and what is recorded about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["DTYPES", "Axis", "Category", "Columns", "FloatArray", "KeyColumn"]

FloatArray = NDArray[np.float64]

Columns = dict[str, NDArray[np.generic]]
"""Columns by name, all of one length: category columns ``str_``, integer columns ``int64``, others
``float64``.
"""

DTYPES: dict[str, float] = {
    "fp64": 8.0,
    "fp32": 4.0,
    "tf32": 4.0,
    "bf16": 2.0,
    "fp16": 2.0,
    "fp8": 1.0,
    "fp8_block": 1.0,
    "int8": 1.0,
    "mxfp8": 1.0,
    "fp4": 0.5,
    "nvfp4": 0.5,
    "mxfp4": 0.5,
    "int4": 0.5,
    "int4_wo": 0.5,
    "w4a16_mxfp4": 0.5,
    "w4a8_mxfp4_mxfp8": 0.5,
    "w4afp8": 0.5,
    "nvfp4_wo": 0.5,
}
"""Known number formats → bytes a stored element takes (scales of block formats not counted)."""


@dataclass(frozen=True, slots=True)
class Category:
    """A key column that is matched exactly: a number format, a kernel family, a direction.

    Parameters
    ----------
    choices
        The only values allowed; empty means any non-empty text.
    """

    name: str
    doc: str
    choices: tuple[str, ...] = ()

    kind: Literal["category"] = "category"


@dataclass(frozen=True, slots=True)
class Axis:
    """A key column that is a quantity and can be interpolated over.

    Parameters
    ----------
    minimum
        Smallest value allowed.
    offset
        The coordinate used for interpolation is ``log2(value + offset)``; above zero where 0 is a real value.
    zero_octaves
        Coordinate of 0 where 0 stands for "no limit", not for a small number.
    integer
        Stored as int64, else as float64.
    """

    name: str
    doc: str
    minimum: float = 1.0
    offset: float = 0.0
    zero_octaves: float | None = None
    integer: bool = True

    kind: Literal["axis"] = "axis"

    def coordinate(self, values: NDArray[np.generic]) -> FloatArray:
        """Octaves: ``log2(value + offset)``, float64 of the same shape."""
        numbers = np.asarray(values, dtype=np.float64)
        if self.zero_octaves is None:
            return np.asarray(np.log2(numbers + self.offset), dtype=np.float64)
        positive = np.log2(np.where(numbers > 0, numbers, 1.0))
        return np.where(numbers > 0, positive, self.zero_octaves)


KeyColumn = Category | Axis
