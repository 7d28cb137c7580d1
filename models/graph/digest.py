"""Content digests: two equal expressions have equal digests, so that they become one node."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np
from scipy import sparse

__all__ = ["Digester"]


class Digester:
    """Digests of parameters, remembering those of large objects it has seen.

    Remembered objects are kept alive, so that an identity is never reused while the digester lives.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, bytes]] = {}

    def __call__(self, value: Any) -> bytes:
        """A digest of `value`: numbers, strings, tuples, arrays, CSR matrices and dataclasses of those."""
        if dataclasses.is_dataclass(value) or isinstance(value, np.ndarray):
            known = self._known.get(id(value))
            if known is None:
                known = (value, self._make(value))
                self._known[id(value)] = known
            return known[1]
        return self._make(value)

    def _make(self, value: Any) -> bytes:
        h = hashlib.blake2b(digest_size=16)
        h.update(type(value).__name__.encode())
        if isinstance(value, np.ndarray):
            h.update(f"{value.dtype.str}{value.shape}".encode())
            h.update(np.ascontiguousarray(value).data)
        elif isinstance(value, sparse.csr_array):
            for part in (value.indptr, value.indices, value.data, np.asarray(value.shape)):
                h.update(self._make(np.asarray(part)))
        elif dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                if field.compare:
                    h.update(self(getattr(value, field.name)))
        elif isinstance(value, tuple):
            for item in value:
                h.update(self(item))
        elif value is None or isinstance(value, (bool, int, float, str, bytes)):
            h.update(repr(value).encode())
        else:
            raise TypeError(f"no digest for {type(value).__name__}")
        return h.digest()
