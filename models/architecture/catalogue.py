"""The catalogue of architectures: `data/*.json`, one file a model.

Each file holds the shape-giving keys of the model's public ``config.json``, where they come from, the names
people use for it, and the parameter counts its authors publish (the tests compare ours with them).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from models.architecture.architecture import Architecture
from models.architecture.config import load_config, parse_config
from models.errors import UnknownName

__all__ = ["architecture", "architecture_names", "published_parameters", "resolve"]


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    source: str
    published_parameters: float
    config: dict[str, Any]


@cache
def _entries() -> tuple[dict[str, _Entry], dict[str, str]]:
    """Every entry by name, and the name behind each spelling."""
    entries: dict[str, _Entry] = {}
    spellings: dict[str, str] = {}
    folder = files("models.architecture").joinpath("data")
    for item in sorted(folder.iterdir(), key=lambda f: f.name):
        if not item.name.endswith(".json"):
            continue
        record = json.loads(item.read_text(encoding="utf-8"))
        entry = _Entry(
            record["name"], record["huggingface"][0], record["published_parameters"], record["config"]
        )
        entries[entry.name] = entry
        for spelling in (entry.name, *record["huggingface"]):
            key = _fold(spelling)
            if spellings.setdefault(key, entry.name) != entry.name:
                raise ValueError(f"two architectures are called {spelling!r}")
    return entries, spellings


def _fold(name: str) -> str:
    return name.strip().casefold()


@cache
def architecture(name: str) -> Architecture:
    """The catalogued architecture of that name, or Hugging Face repository; case does not matter.

    Raises
    ------
    UnknownName
        Not in the catalogue; the message holds the nearest name.
    """
    entries, spellings = _entries()
    found = spellings.get(_fold(name))
    if found is None:
        raise UnknownName("architecture", name, [*entries, *(e.source for e in entries.values())])
    entry = entries[found]
    return replace(parse_config(entry.config, name=found, source=entry.source), name=found)


def architecture_names() -> tuple[str, ...]:
    """Names of all catalogued architectures, sorted."""
    return tuple(sorted(_entries()[0]))


def published_parameters(name: str) -> float:
    """Parameter count that the authors of a catalogued model publish."""
    return _entries()[0][architecture(name).name].published_parameters


def resolve(name_or_path: str, *, base: Path | None = None) -> Architecture:
    """What a document means by ``architecture:``: a path to a ``config.json``, or a catalogue name.

    Anything that ends in ``.json`` or starts with ``.``, ``/`` or ``~`` is a path, taken relative to `base`
    (the document's folder); a folder means the ``config.json`` in it.
    """
    if name_or_path.endswith(".json") or name_or_path.startswith((".", "/", "~")):
        path = Path(name_or_path).expanduser()
        if base is not None and not path.is_absolute():
            path = base / path
        if path.is_dir():
            path /= "config.json"
        return replace(load_config(path), name=name_or_path)
    return architecture(name_or_path)
