"""Finds every spec: one file in one of the folders below, named like the class it holds."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from models.errors import UnknownName

if TYPE_CHECKING:
    from specs.spec import Spec

__all__ = ["FAMILIES", "class_name", "kinds", "spec_class", "spec_classes"]

FAMILIES = ("limits", "shape", "placement", "movement", "affinity")
"""Folders of `specs` that hold one spec a file."""


@cache
def kinds() -> Mapping[str, str]:
    """Kind (``group_count``) → module (``specs.limits.group_count``), from the list of files alone."""
    found: dict[str, str] = {}
    for family in FAMILIES:
        package = importlib.import_module(f"specs.{family}")
        for module in pkgutil.iter_modules(package.__path__):
            if module.name in found:
                raise ImportError(f"two specs are called {module.name}: one in {found[module.name]}")
            if not module.name.startswith("_"):
                found[module.name] = f"specs.{family}.{module.name}"
    return MappingProxyType(dict(sorted(found.items())))


def class_name(kind: str) -> str:
    """``GroupCount`` for ``group_count``."""
    return "".join(part.capitalize() for part in kind.split("_"))


def spec_class(kind: str) -> type[Spec]:
    """The spec of `kind`; imports its file. Raises UnknownName."""
    if kind not in kinds():
        raise UnknownName("spec", kind, kinds())
    made = getattr(importlib.import_module(kinds()[kind]), class_name(kind))
    assert isinstance(made, type)
    return made


def spec_classes() -> dict[str, type[Spec]]:
    """Every spec by kind."""
    return {kind: spec_class(kind) for kind in kinds()}
