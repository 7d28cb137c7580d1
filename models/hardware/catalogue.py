"""The GPU catalogue: `data/gpus.json`, one entry a type."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from models.errors import UnknownName
from models.hardware.gpu import Gpu

__all__ = ["gpu", "gpu_aliases", "gpu_names"]


@cache
def _catalogue() -> tuple[dict[str, Gpu], dict[str, str]]:
    """Every GPU by name, and the name behind each spelling people use."""
    text = files("models.hardware").joinpath("data/gpus.json").read_text(encoding="utf-8")
    gpus: dict[str, Gpu] = {}
    names: dict[str, str] = {}
    for entry in json.loads(text)["gpus"]:
        aliases = entry.pop("aliases")
        item = Gpu(**entry)
        gpus[item.name] = item
        for spelling in (item.name, *aliases):
            key = _fold(spelling)
            if key in names:
                raise ValueError(f"GPU catalogue: {spelling!r} names both {names[key]} and {item.name}")
            names[key] = item.name
    return gpus, names


def _fold(name: str) -> str:
    return name.strip().casefold().replace("_", "-").replace(" ", "-")


def gpu(name: str) -> Gpu:
    """The GPU of that name or alias; case, ``_`` and ``-`` do not matter.

    Raises
    ------
    UnknownName
        No such GPU; the message holds the nearest name.
    """
    gpus, names = _catalogue()
    found = names.get(_fold(name))
    if found is None:
        raise UnknownName("GPU", name, gpus, aliases=names)
    return gpus[found]


def gpu_names() -> tuple[str, ...]:
    """Names of all catalogued GPUs, sorted."""
    return tuple(sorted(_catalogue()[0]))


def gpu_aliases() -> tuple[str, ...]:
    """Every spelling that `gpu` takes, names included, sorted."""
    return tuple(sorted(_catalogue()[1]))
