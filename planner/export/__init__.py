"""Plans as the input of other programs. One file, one format: a module here with `SUMMARY`, `FORMAT_VERSION`
and `export(plan, options)`.

The module's name is the format's name (``_`` for ``-``); nothing else needs to be edited. A module that
also has an `ENGINE` is a serving engine's, which the formats for clusters then can start.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from models.errors import UnknownName, Unsupported
from planner.plan import Plan

if TYPE_CHECKING:
    from planner.export.shared.launch import Engine

__all__ = [
    "Exporter",
    "Options",
    "engine_of",
    "engines",
    "export",
    "export_formats",
    "exporter",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a plan does not say.

    Parameters
    ----------
    engine_version
        Version of the engine that will run; "" = the newest whose flags were tried out.
    image
        Container image; "" = the engine's own, of that version.
    """

    engine_version: str = ""
    image: str = ""


class Exporter(Protocol):
    """What a module of this package offers.

    Attributes
    ----------
    SUMMARY
        What comes out, in a few words.
    FORMAT_VERSION
        Version of the format, or range of the engine's versions, that the module was written against.
    """

    SUMMARY: str
    FORMAT_VERSION: str

    def export(self, plan: Plan, options: Options) -> str:
        """Return the text of `plan` in this format; raises `Unsupported` for what the format cannot say."""


def export_formats() -> tuple[str, ...]:
    """Return the names of all formats, sorted."""
    return tuple(
        sorted(found.name.replace("_", "-") for found in pkgutil.iter_modules(__path__) if not found.ispkg)
    )


def exporter(name: str) -> Exporter:
    """Return the module of a format; raises `UnknownName`."""
    if name not in export_formats():
        raise UnknownName("export format", name, export_formats())
    return cast("Exporter", importlib.import_module(f"{__name__}.{name.replace('-', '_')}"))


def engines() -> tuple[str, ...]:
    """Return the names of the engines that can be started, sorted."""
    return tuple(name for name in export_formats() if hasattr(exporter(name), "ENGINE"))


def engine_of(name: str) -> Engine:
    """Return an engine by its name in plans; raises `UnknownName`."""
    if name not in engines():
        raise UnknownName("engine", name, engines())
    return cast("Engine", getattr(exporter(name), "ENGINE"))  # noqa: B009 - not every format has one


def export(plan: Plan, name: str, options: Options | None = None) -> str:
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
    return chosen.export(plan, options or Options())
