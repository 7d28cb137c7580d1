"""Growing flat arrays that remember where each part starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from models.graph.space import Scope

__all__ = ["Pool", "item_of_container", "longs"]


class Pool:
    """Arrays of one dtype, appended; `add` returns the offset of the part. Equal parts may be shared."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._parts: list[npt.NDArray[Any]] = []
        self._shared: dict[bytes, int] = {}
        self.size = 0

    def add(self, values: npt.ArrayLike, *, share: bool = False) -> int:
        """Append `values` (flattened); with `share`, equal earlier values are used again."""
        part = np.ascontiguousarray(values, self.dtype).reshape(-1)
        if share:
            key = part.tobytes()
            if key in self._shared:
                return self._shared[key]
            self._shared[key] = self.size
        start = self.size
        self._parts.append(part)
        self.size += part.size
        return start

    def array(self) -> npt.NDArray[Any]:
        """All parts as one array."""
        if not self._parts:
            return np.empty(0, self.dtype)
        return np.ascontiguousarray(np.concatenate(self._parts))


def longs(rows: list[list[int]]) -> npt.NDArray[np.int64]:
    """Rows of integers as one flat table."""
    return np.asarray(rows, np.int64).reshape(-1)


def item_of_container(scope: Scope) -> npt.NDArray[np.int32]:
    """int32[n_containers + 2]: the item of each container, the number of items for none.

    The last two: unassigned, and in no item of any scope.
    """
    single = np.append(scope.single, np.int32(-1))
    return np.where(single < 0, scope.items.size, single).astype(np.int32)
