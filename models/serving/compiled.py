"""Compiling kernels that call each other across files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["compiled"]

FOLDERS = ("analysis", "simulation")
"""Where the kernels are."""


@cache
def _sources() -> str:
    """A digest of the kernels: a cached caller does not notice by itself that a callee elsewhere changed."""
    digest = hashlib.sha256()
    for folder in FOLDERS:
        for path in sorted((Path(__file__).parent / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def compiled(function: Callable[..., Any]) -> Any:
    """Compile on the first call and keep the result on disk, under a name that changes with the sources.

    Without Numba's memory manager, for less to compile and to run: arrays are made by the callers of kernels.
    """
    import numba

    function.__qualname__ += f"_{_sources()}"
    return numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function)
