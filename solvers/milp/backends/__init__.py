"""MILP backends, one a file, found by listing this folder; a file is imported when its solver is chosen."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from models.errors import Unavailable, UnknownName

if TYPE_CHECKING:
    from solvers.milp.backend import Backend

__all__ = ["backend", "backend_names"]


def backend_names() -> tuple[str, ...]:
    """Names of all backends, sorted: file names with dashes."""
    return tuple(sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__)))


def backend(name: str) -> Backend:
    """The backend called `name`, or ``family:variant`` for one that drives several solvers.

    Raises UnknownName, or Unavailable when it is not installed.
    """
    family, _, variant = name.partition(":")
    if family not in backend_names():
        raise UnknownName("MILP solver", name, backend_names())
    module = importlib.import_module(f"{__name__}.{family.replace('-', '_')}")
    found: Backend = module.BACKEND
    if variant:
        found = found.variant(variant)
    reason = found.unavailable()
    if reason is not None:
        raise Unavailable(reason)
    return found
