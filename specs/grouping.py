"""Scopes over containers and partitions of objects, from the forms people give them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput, UnknownName
from models.graph import Axis, Partition, Scope
from specs.entities import Entities, Numbered
from specs.values import NamedAxis

__all__ = ["Column", "Labelled", "Over", "PartitionInput", "ScopeInput", "make_partition", "make_scopes"]

Column: TypeAlias = npt.NDArray[np.integer] | npt.NDArray[np.str_] | Sequence[int] | Sequence[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Over:
    """A scope stated over the items of another one: zones over racks.

    Parameters
    ----------
    scope
        Name of the finer scope.
    items
        Item of that scope → item (or items) of this one; items left out are outside of this scope.
    """

    scope: str
    items: Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Labelled:
    """A partition by number with the name of every group, so that a group may be without objects.

    Parameters
    ----------
    labels
        Names of the groups, each once.
    index
        int[n_objects]: group of each object, -1 for none.
    """

    labels: Sequence[str]
    index: npt.NDArray[np.integer]


ScopeInput: TypeAlias = Mapping[str, str | Sequence[str]] | Over | Column
"""Container → item (or several items); or one item for each container as an array: numbers (-1: none) or
names (empty: none); or `Over` another scope. Containers left out are outside of the scope."""
PartitionInput: TypeAlias = Mapping[str, Sequence[str]] | Column | Labelled
"""Group → its objects (groups may overlap, need not cover all); or one group for each object as an array:
numbers (-1: none) or names (empty: none)."""


def make_scopes(
    inputs: Mapping[str, ScopeInput], containers: Entities
) -> dict[str, tuple[Scope, NamedAxis | Entities]]:
    """Every scope by name, that of the containers themselves included.

    Raises
    ------
    InvalidInput
        For an empty scope, one named like the containers, or scopes stated over each other in a circle.
    UnknownName
        For a container, item or scope that does not exist.
    """
    made: dict[str, tuple[Scope, NamedAxis | Entities]] = {
        containers.name: (Scope.identity(containers.axis), containers)
    }
    if containers.name in inputs:
        raise InvalidInput(f"scope {containers.name!r} exists already: every {containers.name} by itself")

    def resolve(name: str, chain: tuple[str, ...]) -> tuple[Scope, NamedAxis | Entities]:
        if name in made:
            return made[name]
        if name in chain:
            raise InvalidInput(f"scopes are stated over each other in a circle: {' → '.join([*chain, name])}")
        value = inputs[name]
        rows: list[list[str]]
        if isinstance(value, Over):
            if value.scope != containers.name and value.scope not in inputs:
                raise UnknownName("scope", value.scope, [*inputs, containers.name])
            rows = _over(value, *resolve(value.scope, (*chain, name)), containers)
            made[name] = _scope_of_rows(name, rows)
        elif isinstance(value, Mapping):
            rows = [[] for _ in range(containers.size)]
            for container, items in value.items():
                for member in containers.members(container):
                    rows[member].extend([items] if isinstance(items, str) else items)
            made[name] = _scope_of_rows(name, rows)
        else:
            index, labels = _column(value, containers, f"scope {name!r}")
            made[name] = (Scope.from_single(name, Axis(name, len(labels), labels), index),
                          NamedAxis(name, labels))  # fmt: skip
        return made[name]

    for name in inputs:
        resolve(name, ())
    return made


def _over(
    value: Over, finer: Scope, finer_names: NamedAxis | Entities, containers: Entities
) -> list[list[str]]:
    of_item: list[list[str]] = [[] for _ in range(finer.items.size)]
    for item, targets in value.items.items():
        for index in finer_names.members(item):
            of_item[index].extend([targets] if isinstance(targets, str) else targets)
    position, items = finer.expand(np.arange(containers.size))
    rows: list[list[str]] = [[] for _ in range(containers.size)]
    for container, item in zip(position.tolist(), items.tolist(), strict=True):
        rows[container].extend(of_item[item])
    return rows


def _scope_of_rows(name: str, rows: Sequence[Sequence[str]]) -> tuple[Scope, NamedAxis]:
    index: dict[str, int] = {}
    for row in rows:
        for item in row:
            if not isinstance(item, str) or not item:
                raise InvalidInput(f"scope {name!r}: an item is named by non-empty text, got {item!r}")
            index.setdefault(item, len(index))
    if not index:
        raise InvalidInput(f"scope {name!r} holds no container: it is empty")
    labels = list(index)
    numbered = [[index[item] for item in row] for row in rows]
    return Scope.from_lists(name, Axis(name, len(labels), labels), numbered), NamedAxis(name, labels)


def make_partition(name: str, value: PartitionInput, objects: Entities) -> tuple[Partition, NamedAxis]:
    """The partition `name` of `objects`.

    Raises
    ------
    InvalidInput
        For a partition without groups, a group without objects, or an object twice in one group.
    UnknownName
        For an object that does not exist.
    """
    if isinstance(value, Labelled):
        if np.shape(value.index) != (objects.size,) or len(set(value.labels)) != len(value.labels):
            raise InvalidInput(f"partition {name!r}: one number an object and each name once are needed")
        axis = Axis(name, len(value.labels), value.labels)
        given = np.asarray(value.index, np.int32)
        return Partition.from_single(name, axis, given), NamedAxis(name, value.labels)
    if not isinstance(value, Mapping):
        index, labels = _column(value, objects, f"partition {name!r}")
        return Partition.from_single(name, Axis(name, len(labels), labels), index), NamedAxis(name, labels)
    if not value:
        raise InvalidInput(f"partition {name!r} has no groups: it is empty")
    members: list[int] = []
    sizes: list[int] = []
    for group, names in value.items():
        if isinstance(names, str):
            raise InvalidInput(
                f"partition {name!r}: group {group!r} is a list of {objects.name}s, got {names!r}"
            )
        inside = [i for member in names for i in objects.members(member)]
        if not inside:
            raise InvalidInput(f"partition {name!r}: group {group!r} has no objects")
        if len(set(inside)) != len(inside):
            raise InvalidInput(f"partition {name!r}: group {group!r} names one {objects.name} twice")
        members.extend(inside)
        sizes.append(len(inside))
    groups = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    order = np.argsort(np.asarray(members), kind="stable")
    indptr = np.zeros(objects.size + 1, np.int64)
    np.cumsum(np.bincount(members, minlength=objects.size), out=indptr[1:])
    labels = list(value)
    return Partition(name, Axis(name, len(labels), labels), indptr, groups[order]), NamedAxis(name, labels)


def _column(value: Column, of: Entities, what: str) -> tuple[npt.NDArray[np.int32], Sequence[str]]:
    """One target for each of `of`: indices (-1: none) and the targets' names."""
    array = np.asarray(value)
    if array.shape != (of.size,):
        raise InvalidInput(f"{what}: {array.size} entries for {of.size} of {of.name!r}; give one for each")
    if array.dtype.kind in "iu":
        if array.min() < -1:
            raise InvalidInput(f"{what}: {int(array.min())} is below -1, the mark for none")
        n = int(array.max()) + 1
        index, labels = array.astype(np.int32), Numbered(_bare(what), n)
    elif array.dtype.kind in "UTO" and all(isinstance(x, str) for x in array.tolist()):
        found, inverse = np.unique(array, return_inverse=True)
        labels_found = found.tolist()
        index = inverse.astype(np.int32)
        if labels_found and labels_found[0] == "":
            index, labels_found = index - np.int32(1), labels_found[1:]
        n, labels = len(labels_found), labels_found
    else:
        raise InvalidInput(f"{what}: expected whole numbers or names, got an array of {array.dtype}")
    if not n:
        raise InvalidInput(f"{what} is empty: every entry says none")
    if n <= of.size:
        empty = np.flatnonzero(np.bincount(index[index >= 0], minlength=n) == 0)
        if empty.size:
            raise InvalidInput(f"{what}: number {int(empty[0])} has no {of.name}; number without gaps")
    return index, labels


def _bare(what: str) -> str:
    """The bare name inside ``scope 'rack'``."""
    return what.split("'")[1]
