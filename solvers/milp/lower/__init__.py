"""One file for each operation of the graph; whatever lies in this folder is found by listing it."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from models.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from solvers.milp.operation import Lowering

__all__ = ["lowering_of", "lowerings"]


@cache
def lowerings() -> Mapping[str, Lowering]:
    """Lowerings by kind of operation."""
    found: dict[str, Lowering] = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for lowering in module.LOWERINGS:
            for kind in lowering.kinds:
                if kind in found:
                    raise RuntimeError(f"two lowerings for {kind}: the second is in {module.__name__}")
                found[kind] = lowering
    return MappingProxyType(found)


def lowering_of(kind: str) -> Lowering:
    """The lowering of one kind of operation. Raises Unsupported."""
    if kind not in lowerings():
        raise Unsupported(
            f"the operation {kind} cannot be stated as rows and columns; use the search solver for this graph"
        )
    return lowerings()[kind]
