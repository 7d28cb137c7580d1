"""Numbers for named things: one for all, by name, or an array; always complete, finite and of one shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput, UnknownName
from models.graph.cells import Array
from specs.entities import DEFAULT

__all__ = ["LARGEST", "Named", "NamedAxis", "Numbers", "complete", "numbers"]

LARGEST = 1e15
"""Largest magnitude of a value: sums of larger ones lose whole units in 64-bit floating point."""
Number: TypeAlias = float | Sequence[float]
Numbers: TypeAlias = float | Sequence[Number] | Mapping[str, Number] | npt.NDArray[np.floating]
"""A number for all, an array with one entry (or row) for each, or a mapping by name with ``default``."""


class Named(Protocol):
    """Something with names: objects, containers, scope items, groups."""

    @property
    def name(self) -> str:
        """What one of them is called."""

    @property
    def size(self) -> int:
        """How many there are."""

    def members(self, name: object) -> Sequence[int]:
        """Indices `name` stands for; raises UnknownName."""

    @property
    def labels(self) -> Sequence[str]:
        """Their names."""


class NamedAxis:
    """The items of a scope or the groups of a partition, by name."""

    def __init__(self, name: str, labels: Sequence[str]) -> None:
        self.name = name
        self.labels = labels
        self._by_name: dict[str, int] | None = None

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.labels)

    def members(self, name: object) -> Sequence[int]:
        """The index of `name`; raises UnknownName."""
        if self._by_name is None:
            self._by_name = {label: i for i, label in enumerate(self.labels)}
        found = self._by_name.get(name) if isinstance(name, str) else None
        if found is None:
            raise UnknownName(self.name, str(name), self.labels if self.size <= 10_000 else ())
        return (found,)


def numbers(values: Numbers, of: Named, what: str, *, default: float | None = None) -> Array:
    """`values` as float64[n] or, for vectors, float64[n, n_components]; NaN where none is given.

    Raises
    ------
    InvalidInput
        For values that are no finite numbers, of the wrong length, or of different numbers of components.
    UnknownName
        For a name that is not one of `of`.
    """
    if isinstance(values, Mapping):
        return _from_mapping(values, of, what, default)
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        text = repr(values)
        shown = text if len(text) <= 60 else f"{text[:57]}…"
        raise InvalidInput(
            f"{what}: expected numbers, or rows of equally many numbers, got {shown}"
        ) from None
    if array.ndim == 0:
        array = np.full(of.size, float(array))
    if array.ndim == 2 and not array.shape[1]:
        raise InvalidInput(f"{what}: every row is empty; give at least one number for each {of.name}")
    if array.ndim > 2 or array.shape[0] != of.size:
        raise InvalidInput(
            f"{what}: {array.shape[0] if array.ndim else 1} values for {of.size} of {of.name!r}; "
            "give one for each, one number for all, or a mapping by name"
        )
    _finite(array, of, what)
    return array


def complete(values: Numbers, of: Named, what: str, *, default: float | None = None) -> Array:
    """Return `numbers` where every one of `of` has a value; raises InvalidInput naming the first without."""
    array = numbers(values, of, what, default=default)
    missing = np.isnan(array if array.ndim == 1 else array[:, 0])
    if missing.any():
        first = of.labels[int(missing.argmax())]
        raise InvalidInput(
            f"{what}: no value for {of.name} {first!r}"
            + (f" and {int(missing.sum()) - 1} more" if missing.sum() > 1 else "")
            + f"; add it, or a {DEFAULT!r} for all that are not listed"
        )
    return array


def _from_mapping(values: Mapping[str, Number], of: Named, what: str, default: float | None) -> Array:
    width = max((len(_entries(v)) for v in values.values() if _is_vector(v)), default=0)
    rows: list[int] = []
    held: list[Number] = []
    base: Number | None = default
    for name, value in values.items():
        row = _row(value, width, f"{what} of {name!r}")
        if name == DEFAULT:
            base = row
            continue
        members = of.members(name)
        rows.extend(members)
        held.extend([row] * len(members))
    if len(set(rows)) != len(rows):
        raise InvalidInput(f"{what}: some {of.name} is given both by kind and by its own name")
    shape = (of.size, width) if width else (of.size,)
    out = np.full(shape, np.nan)
    if base is not None:
        out[:] = base
    if rows:
        out[np.asarray(rows)] = np.asarray(held, np.float64)
    return out


def _is_vector(value: object) -> bool:
    return isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str)


def _entries(value: Number) -> list[float]:
    return list(value) if isinstance(value, Iterable) else [value]


def _row(value: Number, width: int, what: str) -> Number:
    entries = _entries(value)
    if not entries:
        raise InvalidInput(f"{what}: expected a number or a list of them, got an empty list")
    for entry in entries:
        if isinstance(entry, bool) or not isinstance(entry, (int, float, np.integer, np.floating)):
            raise InvalidInput(f"{what}: expected a number, got {entry!r}")
        if not abs(entry) <= LARGEST:
            raise InvalidInput(f"{what}: expected a finite number of at most {LARGEST:g}, got {entry}")
    if not _is_vector(value):
        return [float(entries[0])] * width if width else float(entries[0])
    if len(entries) != width:
        raise InvalidInput(f"{what}: {len(entries)} components where others have {width}")
    return [float(e) for e in entries]


def _finite(array: Array, of: Named, what: str) -> None:
    within = np.abs(array) <= LARGEST  # not for NaN
    if not within.all():
        bad = ~within if array.ndim == 1 else ~within.all(axis=1)
        first = int(bad.argmax())
        shown = f"{of.name} {of.labels[first]!r} has {array[first]}"
        raise InvalidInput(
            f"{what}: {shown}; every value must be a finite number of at most {LARGEST:g} "
            "(for no limit, leave the limit out)"
        )
