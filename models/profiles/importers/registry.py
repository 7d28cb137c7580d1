"""The importers: one file of this folder each, found by its ``IMPORTER``."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Literal

from models.errors import InvalidInput, UnknownName

__all__ = ["ImportRequest", "Importer", "importer", "importers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """What to read, where to write, whether to replace what is there, and options by name."""

    source: Path
    out: Path
    replace: bool
    options: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """Measurements of somebody else that can be read.

    Parameters
    ----------
    name
        As in ``fulcrum profile import --format NAME``.
    result
        ``profile``: operator tables, written as a profile folder. ``rows``: a CSV file.
    summary
        What is read, in a line.
    options
        Names of the options it takes, all of them needed.
    run
        Reads and writes; says what was written, as lines.
    """

    name: str
    result: Literal["profile", "rows"]
    summary: str
    options: tuple[str, ...]
    run: Callable[[ImportRequest], list[str]]

    def __call__(self, request: ImportRequest) -> list[str]:
        """Import, after a look at the options.

        Raises
        ------
        InvalidInput
            An option is missing or not of this format; the source cannot be read.
        """
        for name in self.options:
            if name not in request.options:
                raise InvalidInput(f"the format {self.name} needs --{name}")
        for name in request.options:
            if name not in self.options:
                raise InvalidInput(f"the format {self.name} takes no --{name}")
        if self.result == "rows" and request.out.exists() and not request.replace:
            raise InvalidInput(f"{request.out} is there already: --replace overwrites it")
        return self.run(request)


@cache
def importers() -> dict[str, Importer]:
    """Every importer by name."""
    found: dict[str, Importer] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)])):
        known = getattr(import_module(f"models.profiles.importers.{module}"), "IMPORTER", None)
        if known is not None:
            if known.name in found:
                raise AssertionError(f"two importers are called {known.name}")
            found[known.name] = known
    return dict(sorted(found.items()))


def importer(name: str) -> Importer:
    """The importer of that name; `UnknownName` otherwise."""
    found = importers().get(name)
    if found is None:
        raise UnknownName("format", name, importers())
    return found
