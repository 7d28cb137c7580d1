"""Inputs, results and errors on their way between processes that trust each other.

Pickle runs what it reads: parcels go only between a process and workers that it, or the cluster it was told
to use, started. Nothing that came over the service's network is ever unpacked here.
"""

from __future__ import annotations

import copyreg
import inspect
import pickle
import traceback
from pathlib import Path
from types import MappingProxyType
from typing import Any

from models.errors import FulcrumError, SolverFailed

__all__ = ["pack", "portable_error", "unpack"]


def _proxy(mapping: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(mapping)


def _reduce_proxy(proxy: MappingProxyType[Any, Any]) -> tuple[Any, tuple[dict[Any, Any]]]:
    return _proxy, (dict(proxy),)


# read-only mappings are what frozen dataclasses of ours hold; pickle does not know them
copyreg.pickle(MappingProxyType, _reduce_proxy)


def pack(value: Any) -> bytes:
    """The bytes of a value."""
    return pickle.dumps(value, protocol=5)


def unpack(parcel: bytes) -> Any:
    """The value of bytes that `pack` made."""
    return pickle.loads(parcel)  # noqa: S301 - see above


def portable_error(error: Exception) -> Exception:
    """An error that says the same and survives the way.

    Errors of ours whose constructor takes more than a message become the nearest base that does not; a
    stranger becomes a `SolverFailed` with where it came from.
    """
    if isinstance(error, FulcrumError):
        ours = inspect.getattr_static(FulcrumError, "__init__")
        base = next(kind for kind in type(error).__mro__ if inspect.getattr_static(kind, "__init__") is ours)
        kept: FulcrumError = base(error.message, path=error.path, source=error.source, line=error.line)
        return kept
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{last.name}, {Path(last.filename).name}:{last.lineno}"
    return SolverFailed(f"{type(error).__name__} in {place}: {error}")
