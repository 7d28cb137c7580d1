"""Which objects deserve a look first: those on items and in cells that cost far more than the others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.graph.space import Ints
from solvers.search import layout
from solvers.search.model import State

__all__ = ["homeless", "hot_objects"]

HOT = 3.0
"""An item is hot when it costs more than this many times the mean."""


def homeless(state: State) -> Ints:
    """Objects (int32[k]) without a container."""
    return np.flatnonzero(state.part("assignment")[:-1] == state.model.n_containers).astype(np.int32)


def hot_objects(state: State) -> Ints:
    """Objects (int32[k]) on hot items, in cells with more than limits and terms like, or nowhere."""
    model, tables = state.model, state.model.tables
    where = state.part("assignment")[:-1]
    hot = where == model.n_containers
    item_of, costs = tables["item_of"], state.part("cost")
    for row in tables["blocks"].reshape(-1, layout.BLOCK):
        n, at = int(row[layout.B_ITEMS]), int(row[layout.B_COST])
        cost = costs[at : at + n]
        high = np.append(cost > HOT * np.abs(cost).mean(), False)
        if high.any():
            hot |= high[item_of[int(row[layout.B_ITEM_OF]) + where]]
    for row in tables["groups"].reshape(-1, layout.GROUP):
        if row[layout.G_TABLE] >= 0:
            hot |= _crowded(state, row)
    return np.flatnonzero(hot).astype(np.int32)


def _crowded(state: State, row: Ints) -> npt.NDArray[np.bool_]:
    """Objects in a cell above its limit, or where a positive part counts."""
    model, tables = state.model, state.model.tables
    out = np.zeros(model.n_objects, np.bool_)
    n, pointers = int(row[layout.G_ITEMS]), int(row[layout.G_ROWS_OF])
    if row[layout.G_LIMIT] < 0 and row[layout.G_TERM] == row[layout.G_TERM_END]:
        return out
    bounds = tables["row_ptr"][pointers : pointers + model.n_objects + 1]
    objects = np.repeat(np.arange(model.n_objects), np.diff(bounds))
    groups = tables["row_of"][bounds[0] : bounds[-1]].astype(np.int64)
    item = tables["item_of"][int(row[layout.G_ITEM_OF]) + state.part("assignment")[objects]].astype(np.int64)
    inside = item < n
    objects, groups, item = objects[inside], groups[inside], item[inside]
    count = state.C[int(row[layout.G_TABLE]) + groups * n + item]
    crowded = np.zeros(objects.size, np.bool_)
    if row[layout.G_LIMIT] >= 0:
        place = row[layout.G_LIMIT] + groups * row[layout.G_LIMIT_ROW] + item * row[layout.G_LIMIT_COLUMN]
        crowded |= count > tables["group_limit"][place]
    params = tables["group_param"]
    for t in range(int(row[layout.G_TERM]), int(row[layout.G_TERM_END])):
        kind, at, rows, columns, _ = tables["group_term"][t * layout.GTERM : (t + 1) * layout.GTERM]
        if kind == layout.POSITIVE_PART:
            p = at + 3 * (groups * rows + item * columns)
            crowded |= params[p] * count + params[p + 1] > 0
    out[objects[crowded]] = True
    return out
