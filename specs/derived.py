"""Scopes and partitions made from those of a problem, so that leaves can be read along another axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput, Unsupported
from models.graph import Axis, DynamicWeights, Partition, Scope
from models.graph.cells import DENSE_LIMIT, Array
from specs.problem import Problem
from specs.values import Named
from specs.weights import table_of

__all__ = ["item_weights", "one", "regrouped", "rescoped", "sets_of_objects"]


def rescoped(problem: Problem, scope: str, axis: Axis, targets_of_item: Sequence[npt.ArrayLike]) -> Scope:
    """A scope over `axis`: a container is on target k when one of its items of `scope` lists k.

    With it the usage of the items of `scope` is read along another axis: pairs of items, say.
    """
    base = problem.scope(scope)
    lists = [np.asarray(t, np.int64).reshape(-1) for t in targets_of_item]
    count = np.array([t.size for t in lists], np.int64)
    flat = np.concatenate(lists) if lists else np.empty(0, np.int64)
    start = np.cumsum(count) - count
    position, item = base.expand(np.arange(problem.containers.size))
    copies = count[item]
    total = int(copies.sum())
    if total > DENSE_LIMIT:
        raise Unsupported(f"{axis.name}: {total} pairs of containers and places are too many")
    offset = np.arange(total) - np.repeat(np.cumsum(copies) - copies, copies)
    keys = np.repeat(position, copies) * axis.size + flat[np.repeat(start[item], copies) + offset]
    keys = np.unique(keys)
    indptr = np.zeros(problem.containers.size + 2, np.int64)
    np.cumsum(np.bincount(keys // max(axis.size, 1), minlength=problem.containers.size + 1), out=indptr[1:])
    return Scope(axis.name, axis, indptr, (keys % max(axis.size, 1)).astype(np.int32))


def regrouped(problem: Problem, partition: str, axis: Axis, group_of_row: Sequence[int]) -> Partition:
    """A partition over `axis` whose row k holds the objects of group ``group_of_row[k]``."""
    rows: dict[int, list[int]] = {}
    for k, group in enumerate(group_of_row):
        rows.setdefault(group, []).append(k)
    base = problem.partition(partition)
    position, group_of = base.expand(np.arange(problem.objects.size))
    lists: list[list[int]] = [[] for _ in range(problem.objects.size)]
    for o, g in zip(position.tolist(), group_of.tolist(), strict=True):
        lists[o].extend(rows.get(g, ()))
    return Partition.from_lists(axis.name, axis, lists)


def sets_of_objects(problem: Problem, axis: Axis, sets: Sequence[Sequence[int]]) -> Partition:
    """A partition over `axis` whose row k holds the objects numbered in ``sets[k]``."""
    lists: list[list[int]] = [[] for _ in range(problem.objects.size)]
    for k, members in enumerate(sets):
        for o in members:
            lists[o].append(k)
    return Partition.from_lists(axis.name, axis, lists)


def item_weights(
    problem: Problem,
    scope: str,
    rows: npt.NDArray[np.int32],
    entries: Mapping[int, Mapping[int, float]] | Array,
    n_rows: int,
    *,
    base: Array | None = None,
) -> DynamicWeights:
    """Weights that depend on the place: row ``rows[o]`` of `entries` (row → {item: weight}, or a table).

    `base` is the weight of each object where nothing is listed, by default 0; a table has no base.
    """
    n_items = problem.items(scope).size
    if isinstance(entries, np.ndarray):
        if entries.shape != (n_rows, n_items):
            raise InvalidInput(
                f"a table over {scope!r} needs shape ({n_rows}, {n_items}), got {entries.shape}"
            )
        row, item = np.nonzero(entries)
        data = np.asarray(entries[row, item], np.float64)
    else:
        row = np.array([r for r, cells in entries.items() for _ in cells], np.int64)
        item = np.array([i for cells in entries.values() for i in cells], np.int64)
        data = np.array([v for cells in entries.values() for v in cells.values()], np.float64)
    base = np.zeros(rows.size) if base is None else base
    return DynamicWeights(base, rows, table_of(row, item, data, max(n_rows, 1), n_items))


def one(of: Named, name: str) -> int:
    """Index of a single `name`; raises UnknownName, or InvalidInput for a kind of several."""
    found = of.members(name)
    if len(found) != 1:
        raise InvalidInput(f"{name!r} stands for {len(found)} {of.name}s; name them one by one")
    return int(found[0])
