"""Which containers are closed to an object whatever the others do, and lists of the open ones.

An object that is larger than a limit, or that is kept off a place, is never accepted there: what a list rules
out is not proposed, and more of the rest has a chance. The lists only guide proposals: what is allowed stays
the kernels' business, and while a limit is exceeded anywhere nothing is ruled out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from models.graph.cells import Array
from models.graph.space import Ints
from solvers.search import layout

__all__ = ["CELLS", "open_places", "place_tables"]

CELLS = 20_000_000
"""Largest number of objects × containers for which this is looked at."""
CLOSED = 0.25
"""Objects to which at least this share of the containers is closed have a list."""
WORTH = 0.05
"""There are lists when at least this share of the objects has one."""
CHUNK = 2_000_000
"""Objects × containers looked at together."""
_ROUNDING = 1e-12

_Flags = npt.NDArray[np.bool_]
_Tables = Mapping[str, Any]


def place_tables(tables: _Tables, n_containers: int, may_leave: _Flags) -> dict[str, Any]:
    """Tables of the layout: object → open containers, and the same as bits; empty where it is not worth it.

    `tables`: those of columns, groups and places. "Unassigned" is open to objects that `may_leave`. Objects
    without a list may be proposed anywhere.
    """
    n, m = may_leave.size, n_containers
    lists, bits = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    counts = np.zeros(n, np.int64)
    step = max(1, CHUNK // m)
    for first in range(0, n if n * m <= CELLS else 0, step):
        objects = np.arange(first, min(n, first + step))
        free = np.column_stack([open_places(tables, objects, m), may_leave[objects]])
        few = free[:, :-1].mean(axis=1) <= 1.0 - CLOSED
        counts[objects[few]] = free[few].sum(axis=1)
        lists.append(np.nonzero(free[few])[1].astype(np.int32))
        free[~few] = True
        bits.append(_packed(free))
    if np.count_nonzero(counts) <= WORTH * n:
        none = np.empty(0, np.int32)
        return {"open_ptr": np.empty(0, np.int64), "open": none, "open_bits": none}
    return {
        "open_ptr": np.append(0, np.cumsum(counts)),
        "open": np.concatenate(lists),
        "open_bits": np.concatenate(bits),
    }


def open_places(tables: _Tables, objects: npt.NDArray[np.int64], n_containers: int) -> _Flags:
    """bool[objects, containers]: False where a limit keeps the object out, wherever all others are.

    Where it started is always open.
    """
    open_ = np.ones((objects.size, n_containers), np.bool_)
    for row in tables["blocks"].reshape(-1, layout.BLOCK):
        item_of = tables["item_of"][int(row[layout.B_ITEM_OF]) :][:n_containers]
        open_ &= _within_columns(tables, row, objects)[:, item_of]
    for row in tables["groups"].reshape(-1, layout.GROUP):
        if row[layout.G_LIMIT] >= 0:
            item_of = tables["item_of"][int(row[layout.G_ITEM_OF]) :][:n_containers]
            open_ &= _within_counts(tables, row, objects)[:, item_of]
    home = tables["initial"][objects]
    inside = home < n_containers
    open_[np.flatnonzero(inside), home[inside]] = True
    return open_


def _within_columns(tables: _Tables, row: Ints, objects: npt.NDArray[np.int64]) -> _Flags:
    """bool[objects, items + 1]: whether the columns' upper limits leave room for the object alone."""
    n = tables["initial"].size
    items, d = int(row[layout.B_ITEMS]), int(row[layout.B_COLUMNS])
    split, first = int(row[layout.B_SPLIT]), int(row[layout.B_DYNAMIC])
    upper = tables["upper"][int(row[layout.B_X]) :][: (items + 1) * d].reshape(items + 1, d)[:items]
    w = tables["W"][int(row[layout.B_W]) :][: n * d].reshape(n, d)
    at_home = tables["home_w"][int(row[layout.B_HOME_W]) :][: n * (first - split)].reshape(n, first - split)
    home = tables["home"][int(row[layout.B_HOME]) + objects].astype(np.int64)
    inside = np.flatnonzero((home >= 0) & (home < items))
    out = np.ones((objects.size, items + 1), np.bool_)
    for j in range(d):
        top = upper[:, j] + _ROUNDING * np.maximum(1.0, np.abs(upper[:, j]))
        if j >= first:
            out[:, :items] &= _least_dynamic(tables, row, j, objects) <= top
            continue
        here = w[:, j] if j < split else at_home[:, j - split]
        least = np.minimum(np.minimum(w[:, j], here), 0.0)  # of what each of the others may add
        others = least.sum() - least[objects]
        alone = w[objects, j] + others
        if alone.max(initial=-np.inf) <= top.min(initial=np.inf) and here is w[:, j]:
            continue
        fits = alone[:, None] <= top
        fits[inside, home[inside]] = (here[objects] + others)[inside] <= top[home[inside]]
        out[:, :items] &= fits
    return out


def _least_dynamic(tables: _Tables, row: Ints, j: int, objects: npt.NDArray[np.int64]) -> Array:
    """float64[objects, items]: the least that dynamic column `j` has where the object is; −inf: not known."""
    items, n = int(row[layout.B_ITEMS]), tables["initial"].size
    k = int(row[layout.B_FIRST_DYNAMIC]) + j - int(row[layout.B_DYNAMIC])
    start, width, home_factor, away_factor = tables["dynamic"].reshape(-1, layout.DYN)[k]
    size = int(np.append(tables["dynamic"].reshape(-1, layout.DYN)[k + 1 :, 0], tables["dyn_table"].size)[0])
    table = tables["dyn_table"][int(start) : size].reshape(-1, int(width))
    base, rows = tables["dyn_base"][k * n :][:n], tables["dyn_row"][k * n :][:n]
    if base.min(initial=0.0) < 0 or np.nanmin(table, initial=0.0) < 0:
        return np.full((objects.size, items), -np.inf)
    stored = np.vstack([table, np.full((1, int(width)), np.nan)])[rows[objects]]  # row −1: nothing
    weight = np.where(np.isnan(stored), base[objects, None], stored)
    home = tables["home"][int(row[layout.B_HOME]) + objects]
    factor = np.where(home[:, None] == np.arange(items), home_factor, away_factor)
    out: Array = weight * factor
    return out


def _within_counts(tables: _Tables, row: Ints, objects: npt.NDArray[np.int64]) -> _Flags:
    """bool[objects, items + 1]: False where no object of one of its groups may be."""
    n, n_rows = int(row[layout.G_ITEMS]), int(row[layout.G_ROWS])
    out = np.ones((objects.size, n + 1), np.bool_)
    by_row, by_item = n_rows if row[layout.G_LIMIT_ROW] else 1, n if row[layout.G_LIMIT_COLUMN] else 1
    limit = tables["group_limit"][int(row[layout.G_LIMIT]) :][: by_row * by_item].reshape(by_row, by_item)
    if limit.min(initial=1) >= 1 or n_rows * n > CELLS:
        return out
    closed = np.zeros((n_rows, n), np.bool_)
    closed[:] = limit < 1
    kept = tables["allow_key"][int(row[layout.G_ALLOW]) : int(row[layout.G_ALLOW_END])]
    closed[kept // n, kept % n] = False
    pointers = tables["row_ptr"][int(row[layout.G_ROWS_OF]) :]
    first, last = pointers[objects], pointers[objects + 1]
    for i in range(int((last - first).max(initial=0))):
        some = np.flatnonzero(first + i < last)
        out[some, :n] &= ~closed[tables["row_of"][first[some] + i]]
    return out


def _packed(free: _Flags) -> Ints:
    """int32[objects × words]: bit c of an object's words is ``free[object, c]``."""
    n, places = free.shape
    padded = np.zeros((n, 32 * (-(-places // 32))), np.bool_)
    padded[:, :places] = free
    return np.packbits(padded, axis=1, bitorder="little").view("<i4").astype(np.int32).reshape(-1)
