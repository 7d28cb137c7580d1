# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"
# ruff: noqa: ARG001 - arguments come in one common order; loops are what gets compiled
"""How many objects of a group are on an item: counts, their limits and their costs."""

from __future__ import annotations

from solvers.search.jit import inlined, kernel
from solvers.search.kernels.functions import function
from solvers.search.layout import (
    G_ALLOW,
    G_ALLOW_END,
    G_ITEM_OF,
    G_ITEMS,
    G_LIMIT,
    G_LIMIT_COLUMN,
    G_LIMIT_ROW,
    G_MEMBERS,
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

__all__ = ["cell_change", "count_at", "group_shift", "groups_allow", "limit_at"]


@inlined
def count_at(g, row, s, groups, group_count, item_of, member_ptr, member, assignment):
    """Objects of `row` on item `s`."""
    table = groups[g + G_TABLE]
    if table >= 0:
        return int(group_count[table + row * groups[g + G_ITEMS] + s])
    count = 0
    place = groups[g + G_MEMBERS] + row
    for i in range(member_ptr[place], member_ptr[place + 1]):
        if item_of[groups[g + G_ITEM_OF] + assignment[member[i]]] == s:
            count += 1
    return count


@inlined
def limit_at(g, row, s, groups, group_limit, allow_key, allow_count):
    """Largest allowed count: the limit, or what the start had where it was broken already."""
    plain = group_limit[groups[g + G_LIMIT] + row * groups[g + G_LIMIT_ROW] + s * groups[g + G_LIMIT_COLUMN]]
    low, high = groups[g + G_ALLOW], groups[g + G_ALLOW_END]
    if low < high:
        key = row * groups[g + G_ITEMS] + s
        end = high
        while low < high:
            middle = (low + high) // 2
            if allow_key[middle] < key:
                low = middle + 1
            else:
                high = middle
        if low < end and allow_key[low] == key:
            return max(plain, allow_count[low])
    return plain


@kernel
def cell_change(g, row, s, count, step, groups, group_limit, group_penalty, group_term, group_param, knots):
    """What ``count + step`` objects of `row` on `s` cost more than `count`.

    Terms, and the penalty above the plain limit.
    """
    total = 0.0
    if groups[g + G_LIMIT] >= 0:
        over = (
            count
            - group_limit[
                groups[g + G_LIMIT] + row * groups[g + G_LIMIT_ROW] + s * groups[g + G_LIMIT_COLUMN]
            ]
        )
        total += group_penalty[groups[g + G_PENALTY]] * (max(0, over + step) - max(0, over))
    for t in range(groups[g + G_TERM], groups[g + G_TERM_END]):
        r = t * GTERM
        p = group_term[r + GT_PARAM] + 3 * (row * group_term[r + GT_ROW] + s * group_term[r + GT_COLUMN])
        for turn in range(2):
            v = group_param[p] * (count + step if turn == 0 else count) + group_param[p + 1]
            f = group_param[p + 2] * function(group_term[r + GT_KIND], v, knots, group_term[r + GT_KNOTS])
            total += f if turn == 0 else -f
    return total


@kernel
def group_shift(
    o, a, b, n_objects, assignment,
    groups, group_count, item_of, row_ptr, row_of, member_ptr, member,
    group_limit, group_penalty, group_term, group_param, knots,
):  # fmt: skip
    """Put `o` from `a` to `b` in all counts and in `assignment`; returns the change of cost."""
    delta = 0.0
    for g in range(0, groups.size, GROUP):
        sa = item_of[groups[g + G_ITEM_OF] + a]
        sb = item_of[groups[g + G_ITEM_OF] + b]
        if sa == sb:
            continue
        n = groups[g + G_ITEMS]
        place = groups[g + G_ROWS_OF] + o
        for i in range(row_ptr[place], row_ptr[place + 1]):
            row = row_of[i]
            for turn in range(2):
                s, step = (sa, -1) if turn == 0 else (sb, 1)
                if s == n:
                    continue
                c = count_at(g, row, s, groups, group_count, item_of, member_ptr, member, assignment)
                delta += cell_change(
                    g, row, s, c, step, groups, group_limit, group_penalty, group_term, group_param, knots
                )
                if groups[g + G_TABLE] >= 0:
                    group_count[groups[g + G_TABLE] + row * n + s] += step
    assignment[o] = b
    return delta


@kernel
def groups_allow(
    o, a, b, extra, groups, group_count, item_of, row_ptr, row_of, member_ptr, member, assignment,
    group_limit, allow_key, allow_count,
):  # fmt: skip
    """Whether the counts of the groups of `o` where `b` is, plus `extra`, are within their limits.

    Where `a` and `b` are on one item nothing changed and nothing is checked.
    """
    for g in range(0, groups.size, GROUP):
        if groups[g + G_LIMIT] < 0:
            continue
        s = item_of[groups[g + G_ITEM_OF] + b]
        if s == groups[g + G_ITEMS] or s == item_of[groups[g + G_ITEM_OF] + a]:
            continue
        place = groups[g + G_ROWS_OF] + o
        for i in range(row_ptr[place], row_ptr[place + 1]):
            c = extra + count_at(
                g, row_of[i], s, groups, group_count, item_of, member_ptr, member, assignment
            )
            if c > limit_at(g, row_of[i], s, groups, group_limit, allow_key, allow_count):
                return False
    return True
