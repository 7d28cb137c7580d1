"""Plans as the input of other programs. One file, one format: a module here with `SUMMARY` and
`export(plan)`.

The module's name is the format's name (``_`` for ``-``); nothing else needs to be edited.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Protocol

from models.errors import UnknownName, Unsupported
from planner.plan import Plan

__all__ = ["Exporter", "export", "export_formats", "exporter"]


class Exporter(Protocol):
    """What a module of this package offers."""

    SUMMARY: str

    def export(self, plan: Plan) -> str:
        """Return the text of `plan` in this format; raises `Unsupported` for what the format cannot say."""


def export_formats() -> tuple[str, ...]:
    """Return the names of all formats, sorted."""
    return tuple(sorted(found.name.replace("_", "-") for found in pkgutil.iter_modules(__path__)))


def exporter(name: str) -> Exporter:
    """Return the module of a format; raises `UnknownName`."""
    if name not in export_formats():
        raise UnknownName("export format", name, export_formats())
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")


def export(plan: Plan, name: str) -> str:
    """Return `plan` in the format `name`.

    Raises
    ------
    UnknownName
        No such format.
    Unsupported
        The plan holds no instances, or something the format cannot say.
    """
    chosen = exporter(name)
    if not plan.instances:
        why = plan.diagnosis.message if plan.diagnosis is not None else f"its state is {plan.state}"
        raise Unsupported(f"the plan runs nothing, so there is nothing to export: {why}")
    return chosen.export(plan)
