"""Dimensions: what objects weigh, what containers hold, possibly depending on the place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from specs.values import Numbers

__all__ = ["COUNT", "ByItem", "Dimension"]

COUNT = "count"
"""The dimension in which every object weighs 1; it always exists."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ByItem:
    """Values of objects that depend on the scope item they are in (a *dynamic* dimension).

    Parameters
    ----------
    scope
        The scope whose items matter.
    values
        Item → {object: value}; pairs not listed have the dimension's `objects` value. With `partition`:
        item → {group: value}, for all objects of the group.
    partition
        Name of a partition without overlaps, when values are by group.
    columns
        In place of `values`, three arrays of one length: items (numbers or names), objects or groups
        (numbers or names), values.
    """

    scope: str
    values: Mapping[str, Mapping[str, float]] | None = None
    partition: str | None = None
    columns: tuple[npt.ArrayLike, npt.ArrayLike, npt.NDArray[np.floating] | Sequence[float]] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Dimension:
    """One quantity, in one unit, of objects and (as capacity) of containers and scope items.

    Parameters
    ----------
    objects
        Amount of each object: one number, a mapping by name (or kind) with ``default``, float64[n_objects],
        or for a vector dimension float64[n_objects, n_components] (a value for each hour, say).
    containers
        Capacity of each container, in the same forms, at least 0. None: the dimension has no capacity.
    items
        Capacity of the items of other scopes: scope → values. A scope without an entry has for each item the
        total of the capacities of its containers.
    by_item
        Where an object weighs differently depending on its place.
    unit
        For messages: ``GiB``.
    """

    objects: Numbers
    containers: Numbers | None = None
    items: Mapping[str, Numbers] = field(default_factory=dict)
    by_item: ByItem | None = None
    unit: str = ""
