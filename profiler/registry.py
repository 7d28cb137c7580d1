"""Finds the measurements: every module in `profiler.measure` that has a `MEASUREMENTS` tuple."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from models.errors import UnknownName
from profiler import measure
from profiler.measurement import Measurement

__all__ = ["choose", "measurements"]


def measurements(package: ModuleType = measure) -> dict[str, Measurement]:
    """Every measurement by the operation it measures, in name order.

    Raises
    ------
    ValueError
        Two files measure one operation, or a file has no `MEASUREMENTS`: a programming error.
    """
    found: dict[str, Measurement] = {}
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        members = getattr(module, "MEASUREMENTS", None)
        if members is None:
            raise ValueError(f"{module.__name__} has no MEASUREMENTS")
        for member in members:
            if member.operation in found:
                raise ValueError(f"{module.__name__} measures {member.operation} again")
            found[member.operation] = member
    return dict(sorted(found.items()))


_FAMILIES = {
    "attention": ("attention_prefill", "attention_decode", "mla_decode"),
    "collectives": ("all_gather", "all_reduce", "all_to_all", "reduce_scatter"),
}


def choose(names: tuple[str, ...]) -> dict[str, Measurement]:
    """The measurements of these operations, all when there are none; ``attention`` and ``collectives``
    are families.

    Raises
    ------
    UnknownName
        Nothing measures that operation.
    """
    known = measurements()
    if not names:
        return known
    wanted: set[str] = set()
    for name in names:
        if name not in known and name not in _FAMILIES:
            raise UnknownName("operation", name, [*known, *_FAMILIES])
        wanted.update(_FAMILIES.get(name, (name,)))
    return {name: known[name] for name in known if name in wanted}
