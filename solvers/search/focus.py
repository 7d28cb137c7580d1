"""Which objects deserve a look first: those on items and in cells that cost far more than the others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.graph.space import Ints
from solvers.search import layout
from solvers.search.model import State

__all__ = ["hot_objects"]

HOT = 3.0
"""An item is hot when it costs more than this many times the mean."""


def hot_objects(state: State) -> Ints:
    """Objects (int32[k]) on hot items, or where their group has more members than a limit or term likes."""
    model = state.model
    hot = np.zeros(model.n_objects, np.bool_)
    where = state.assignment[:-1]
    for q in range(0, model.blocks.size, layout.BLOCK):
        columns = (layout.B_ITEMS, layout.B_COST, layout.B_ITEM_OF)
        n, at, item_of = (int(model.blocks[q + k]) for k in columns)
        cost = state.cost[at : at + n]
        high = np.append(cost > HOT * np.abs(cost).mean(), False)
        if high.any():
            hot |= high[model.item_of[item_of + where]]
    for g in range(0, model.groups.size, layout.GROUP):
        if model.groups[g + layout.G_TABLE] >= 0:
            hot |= _crowded(state, g)
    return np.flatnonzero(hot).astype(np.int32)


def _crowded(state: State, g: int) -> npt.NDArray[np.bool_]:
    """Objects in a cell above its limit, or where a positive part counts."""
    model = state.model
    row = model.groups[g : g + layout.GROUP]
    n, pointers = int(row[layout.G_ITEMS]), int(row[layout.G_ROWS_OF])
    bounds = model.row_ptr[pointers : pointers + model.n_objects + 1]
    objects = np.repeat(np.arange(model.n_objects), np.diff(bounds))
    groups = model.row_of[bounds[0] : bounds[-1]].astype(np.int64)
    item = model.item_of[int(row[layout.G_ITEM_OF]) + state.assignment[objects]].astype(np.int64)
    inside = item < n
    objects, groups, item = objects[inside], groups[inside], item[inside]
    count = state.group_count[int(row[layout.G_TABLE]) + groups * n + item]
    crowded = np.zeros(objects.size, np.bool_)
    if row[layout.G_LIMIT] >= 0:
        place = row[layout.G_LIMIT] + groups * row[layout.G_LIMIT_ROW] + item * row[layout.G_LIMIT_COLUMN]
        crowded |= count > model.group_limit[place]
    for t in range(int(row[layout.G_TERM]), int(row[layout.G_TERM_END])):
        kind, at, rows, columns, _ = model.group_term[t * layout.GTERM : (t + 1) * layout.GTERM]
        if kind == layout.POSITIVE_PART:
            p = at + 3 * (groups * rows + item * columns)
            crowded |= model.group_param[p] * count + model.group_param[p + 1] > 0
    out = np.zeros(model.n_objects, np.bool_)
    out[objects[crowded]] = True
    return out
