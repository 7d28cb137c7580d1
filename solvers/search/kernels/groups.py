# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"

"""How many objects of a group are on an item: counts, their limits and costs, spread and dependencies."""

from __future__ import annotations

import numpy as np

from solvers.search.jit import inlined, kernel
from solvers.search.kernels.functions import function
from solvers.search.layout import (
    AT_ALLOW_COUNT,
    AT_ALLOW_KEY,
    AT_ASSIGNMENT,
    AT_EDGE_OF,
    AT_EDGE_PTR,
    AT_GROUP_LIMIT,
    AT_GROUP_PARAM,
    AT_GROUP_PENALTY,
    AT_GROUP_TERM,
    AT_GROUPS,
    AT_ITEM_OF,
    AT_KNOTS,
    AT_MEMBER,
    AT_MEMBER_PTR,
    AT_NET,
    AT_ROW_OF,
    AT_ROW_PTR,
    G_ALLOW,
    G_ALLOW_END,
    G_DISTINCT,
    G_ITEM_OF,
    G_ITEMS,
    G_LEAST,
    G_LIMIT,
    G_LIMIT_COLUMN,
    G_LIMIT_ROW,
    G_MEMBERS,
    G_NEEDED,
    G_NEEDS,
    G_PENALTY,
    G_ROWS_OF,
    G_TABLE,
    G_TERM,
    G_TERM_END,
    GROUP,
    GT_COLUMN,
    GT_KIND,
    GT_KNOTS,
    GT_PARAM,
    GT_ROW,
    GTERM,
)

__all__ = ["count_at", "group_shift", "groups_allow"]


@inlined
def count_at(g, row, s, H, J, A, C):
    """Objects of `row` on item `s`."""
    table = H[g + G_TABLE]
    if table >= 0:
        return int(C[table + row * H[g + G_ITEMS] + s])
    count = 0
    place = H[AT_MEMBER_PTR] + H[g + G_MEMBERS] + row
    items = H[AT_ITEM_OF] + H[g + G_ITEM_OF]
    for i in range(H[AT_MEMBER] + H[place], H[AT_MEMBER] + H[place + 1]):
        if J[items + A[H[AT_ASSIGNMENT] + J[i]]] == s:
            count += 1
    return count


@inlined
def _plain_limit(g, row, s, H, J):
    return J[H[AT_GROUP_LIMIT] + H[g + G_LIMIT] + row * H[g + G_LIMIT_ROW] + s * H[g + G_LIMIT_COLUMN]]


@inlined
def _limit_at(g, row, s, H, J):
    """Largest allowed count: the limit, or what the start had where it was broken already."""
    plain = _plain_limit(g, row, s, H, J)
    keys, counts = H[AT_ALLOW_KEY], H[AT_ALLOW_COUNT]
    low, high = H[g + G_ALLOW], H[g + G_ALLOW_END]
    if low < high:
        key = row * H[g + G_ITEMS] + s
        end = high
        while low < high:
            middle = (low + high) // 2
            if H[keys + middle] < key:
                low = middle + 1
            else:
                high = middle
        if low < end and H[keys + low] == key:
            return max(plain, J[counts + low])
    return plain


@inlined
def _cell_change(g, row, s, count, step, H, J, F, G):
    """What ``count + step`` objects of `row` on `s` cost more than `count`: terms, limit's penalty."""
    total = 0.0
    if H[g + G_LIMIT] >= 0:
        over = count - _plain_limit(g, row, s, H, J)
        total += G[H[AT_GROUP_PENALTY] + H[g + G_PENALTY]] * (max(0, over + step) - max(0, over))
    terms = H[AT_GROUP_TERM]
    for r in range(terms + H[g + G_TERM] * GTERM, terms + H[g + G_TERM_END] * GTERM, GTERM):
        p = H[AT_GROUP_PARAM] + H[r + GT_PARAM] + 3 * (row * H[r + GT_ROW] + s * H[r + GT_COLUMN])
        for turn in range(2):
            v = G[p] * (count + step if turn == 0 else count) + G[p + 1]
            f = G[p + 2] * function(H[r + GT_KIND], v, F, H[AT_KNOTS] + H[r + GT_KNOTS])
            total += f if turn == 0 else -f
    return total


@inlined
def _lacking(g, row, s, H, J, C):
    """(rows that `row` needs and are not on `s`, rows on `s` that need `row`)."""
    n, table = H[g + G_ITEMS], H[g + G_TABLE]
    missing, needing = 0, 0
    at = H[AT_EDGE_PTR] + H[g + G_NEEDS] + row
    for i in range(H[AT_EDGE_OF] + H[at], H[AT_EDGE_OF] + H[at + 1]):
        missing += C[table + J[i] * n + s] == 0
    at = H[AT_EDGE_PTR] + H[g + G_NEEDED] + row
    for i in range(H[AT_EDGE_OF] + H[at], H[AT_EDGE_OF] + H[at + 1]):
        needing += C[table + J[i] * n + s] > 0
    return missing, needing


@kernel
def _presence_change(g, row, s, step, H, J, G, V, C):
    """`row` came to `s` (step 1) or left it (-1) altogether: violations of spread and of dependencies.

    Returns the change of their penalty, and adds the change of their number to V[net].
    """
    total = 0.0
    penalty = H[AT_GROUP_PENALTY] + H[g + G_PENALTY]
    C[H[g + G_DISTINCT] + row] += step
    if H[g + G_LEAST] >= 0:
        now = C[H[g + G_DISTINCT] + row]
        least = J[H[AT_GROUP_LIMIT] + H[g + G_LEAST] + row]
        change = max(0, least - now) - max(0, least - now + step)
        total += G[penalty + 1] * change
        V[H[AT_NET]] += change
    if H[g + G_NEEDS] >= 0:
        missing, needing = _lacking(g, row, s, H, J, C)
        change = step * (missing - needing)
        total += G[penalty + 2] * change
        V[H[AT_NET]] += change
    return total


@kernel
def group_shift(o, a, b, H, J, F, G, A, V, C):
    """Put `o` from `a` to `b` in all counts and in the assignment; returns the change of cost.

    Adds new violations of spread and dependencies, less those repaired, to V[net].
    """
    delta = 0.0
    for g in range(H[AT_GROUPS], H[AT_GROUPS + 1], GROUP):
        items = H[AT_ITEM_OF] + H[g + G_ITEM_OF]
        sa, sb = J[items + a], J[items + b]
        if sa == sb:
            continue
        n, table, tracked = H[g + G_ITEMS], H[g + G_TABLE], H[g + G_DISTINCT] >= 0
        priced = H[g + G_LIMIT] >= 0 or H[g + G_TERM] < H[g + G_TERM_END]
        place = H[AT_ROW_PTR] + H[g + G_ROWS_OF] + o
        for i in range(H[AT_ROW_OF] + H[place], H[AT_ROW_OF] + H[place + 1]):
            row = np.int64(J[i])
            for turn in range(2):
                s, step = (np.int64(sa), -1) if turn == 0 else (np.int64(sb), 1)
                if s == n:
                    continue
                if priced:
                    count = count_at(g, row, s, H, J, A, C)
                    delta += _cell_change(g, row, s, count, step, H, J, F, G)
                if table >= 0:
                    cell = table + row * n + s
                    C[cell] += step
                    if tracked and C[cell] == (1 if step > 0 else 0):
                        delta += _presence_change(g, row, s, step, H, J, G, V, C)
    A[H[AT_ASSIGNMENT] + o] = b
    return delta


@kernel
def groups_allow(o, a, b, extra, H, J, A, C):
    """Whether the counts of the groups of `o` where `b` is, plus `extra`, are within their limits.

    Where `a` and `b` are on one item nothing changed and nothing is checked.
    """
    for g in range(H[AT_GROUPS], H[AT_GROUPS + 1], GROUP):
        if H[g + G_LIMIT] < 0:
            continue
        items = H[AT_ITEM_OF] + H[g + G_ITEM_OF]
        s = np.int64(J[items + b])
        if s == H[g + G_ITEMS] or s == J[items + a]:
            continue
        place = H[AT_ROW_PTR] + H[g + G_ROWS_OF] + o
        for i in range(H[AT_ROW_OF] + H[place], H[AT_ROW_OF] + H[place + 1]):
            row = np.int64(J[i])
            if extra + count_at(g, row, s, H, J, A, C) > _limit_at(g, row, s, H, J):
                return False
    return True
