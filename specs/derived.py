"""Scopes and partitions made from those of a problem, so that leaves can be read along another axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput, Unsupported
from models.graph import Axis, DynamicWeights, Partition, Scope
from models.graph.cells import DENSE_LIMIT, Array
from models.graph.space import Ints
from specs.problem import Problem
from specs.values import Named
from specs.weights import table_of

__all__ = ["item_weights", "one", "regrouped", "rescoped", "sets_of_objects"]


def rescoped(problem: Problem, scope: str, axis: Axis, targets_of_item: Sequence[npt.ArrayLike]) -> Scope:
    """A scope over `axis`: a container is on target k when one of its items of `scope` lists k.

    With it the usage of the items of `scope` is read along another axis: pairs of items, say.
    """
    lists = [np.asarray(t, np.int64).reshape(-1) for t in targets_of_item]
    item = np.repeat(np.arange(len(lists)), [t.size for t in lists])
    target = np.concatenate(lists) if lists else np.empty(0, np.int64)
    position, inside = problem.scope(scope).expand(np.arange(problem.containers.size))
    # one more row: the unassigned state, on no target
    indptr, indices = _through(position, inside, problem.containers.size + 1, item, target, axis)
    return Scope(axis.name, axis, indptr, indices)


def regrouped(problem: Problem, partition: str, axis: Axis, group_of_row: Sequence[int]) -> Partition:
    """A partition over `axis` whose row k holds the objects of group ``group_of_row[k]``."""
    position, inside = problem.partition(partition).expand(np.arange(problem.objects.size))
    groups = np.asarray(group_of_row, np.int64)
    indptr, indices = _through(
        position, inside, problem.objects.size, groups, np.arange(groups.size, dtype=np.int64), axis
    )
    return Partition(axis.name, axis, indptr, indices)


def sets_of_objects(problem: Problem, axis: Axis, sets: Sequence[Sequence[int]]) -> Partition:
    """A partition over `axis` whose row k holds the objects numbered in ``sets[k]``."""
    every = np.arange(problem.objects.size, dtype=np.int64)
    member = np.array([o for members in sets for o in members], np.int64)
    row = np.repeat(np.arange(len(sets), dtype=np.int64), [len(members) for members in sets])
    indptr, indices = _through(every, every, every.size, member, row, axis)
    return Partition(axis.name, axis, indptr, indices)


def _through(
    source: npt.NDArray[np.int64],
    middle: npt.NDArray[np.int64],
    n_sources: int,
    key: npt.NDArray[np.int64],
    target: npt.NDArray[np.int64],
    axis: Axis,
) -> tuple[npt.NDArray[np.int64], Ints]:
    """Compressed rows source → target from pairs (source, middle) and (key, target) with middle = key."""
    order = np.argsort(key, kind="stable")
    key, target = key[order], target[order]
    first = np.searchsorted(key, middle, side="left")
    copies = np.searchsorted(key, middle, side="right") - first
    total = int(copies.sum())
    if total > DENSE_LIMIT:
        raise Unsupported(f"{axis.name}: {total} entries are too many (limit {DENSE_LIMIT})")
    offset = np.arange(total) - np.repeat(np.cumsum(copies) - copies, copies)
    width = max(axis.size, 1)
    pairs = np.unique(np.repeat(source, copies) * width + target[np.repeat(first, copies) + offset])
    indptr = np.zeros(n_sources + 1, np.int64)
    np.cumsum(np.bincount(pairs // width, minlength=n_sources), out=indptr[1:])
    return indptr, (pairs % width).astype(np.int32)


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
