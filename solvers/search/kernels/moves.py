# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"
# ruff: noqa: ARG001 - arguments come in one common order; loops are what gets compiled
"""One move: price it, and keep it when it costs no more than a limit."""

from __future__ import annotations

import numpy as np

from solvers.search.jit import inlined, kernel
from solvers.search.kernels.dag import leaf_shift, propagate, settle
from solvers.search.kernels.groups import group_shift, groups_allow
from solvers.search.kernels.sides import apply_columns, sides_cost
from solvers.search.layout import ONE

__all__ = ["late_cost", "try_move"]

_INF = np.inf


@inlined
def late_cost(
    shape, o, a, b, p, c, delta, limit, keep,
    n_objects, free, assignment, xs, pending_at, pending,
    blocks, X, W, home_w, item_of, home, upper, lower, penalty, terms, params, knots, cost,
    dynamic, dyn_row, dyn_base, dyn_table,
    linear, lin_w, lin_gamma, move_w, initial,
    groups, group_count, row_ptr, row_of, member_ptr, member,
    group_limit, group_penalty, group_term, group_param, allow_key, allow_count,
    leaves, nodes, value, old, touched, mark, n_touched, pointers, targets, leaf_w, pairs, pair_rate,
    distance,
    children, parents, pool, goal_w, allowance, node_penalty,
):  # fmt: skip
    """`delta` plus what groups and the remaining nodes say; with `keep`, the move is made if at most `limit`.

    Needs what `sides_cost` left in `pending`. Returns inf when forbidden; without `keep`, or when not made,
    everything is as before.
    """
    n_parts = 1 if shape == ONE else 2
    made = True
    if groups.size:
        for turn in range(n_parts):
            who, here, there = (o, a, b) if turn == 0 else (p, b, c)
            delta += group_shift(
                who, here, there, n_objects, assignment, groups, group_count, item_of, row_ptr, row_of,
                member_ptr,
                member, group_limit, group_penalty, group_term, group_param, knots,
            )  # fmt: skip
        made = delta <= limit or nodes.size > 0
        if made and not free:
            for turn in range(n_parts):
                who, here, there = (o, a, b) if turn == 0 else (p, b, c)
                made = made and groups_allow(
                    who, here, there, 0, groups, group_count, item_of, row_ptr, row_of, member_ptr, member,
                    assignment, group_limit, allow_key, allow_count,
                )  # fmt: skip
            if not made:
                delta = _INF
    if made and nodes.size:
        assignment[o] = a
        if shape != ONE:
            assignment[p] = b
        for turn in range(n_parts):
            who, here, there = (o, a, b) if turn == 0 else (p, b, c)
            leaf_shift(
                who, here, there, n_objects, initial, assignment, leaves, nodes, value, old, touched, mark,
                n_touched, pointers, targets, leaf_w, pairs, pair_rate, distance,
                dynamic, dyn_row, dyn_base, dyn_table,
            )  # fmt: skip
        delta += propagate(
            nodes, children, parents, pool, value, old, touched, mark, n_touched,
            knots, goal_w, allowance, node_penalty, pointers, targets, free,
        )  # fmt: skip
        settle(nodes, value, old, touched, mark, n_touched, keep and delta <= limit)
    made = made and keep and delta <= limit
    if made:
        for i in range(1, pending_at[0] + 1):
            cost[pending_at[i]] = pending[i]
    for turn in range(n_parts):
        who, here, there = (o, a, b) if turn == 0 else (p, b, c)
        if made:
            assignment[who] = there
            apply_columns(
                who, here, there, n_objects, blocks, X, W, home_w, item_of, home,
                dynamic, dyn_row, dyn_base, dyn_table,
            )  # fmt: skip
        elif groups.size:
            group_shift(
                who, there, here, n_objects, assignment, groups, group_count, item_of, row_ptr, row_of,
                member_ptr,
                member, group_limit, group_penalty, group_term, group_param, knots,
            )  # fmt: skip
        else:
            assignment[who] = here
    return delta


@kernel
def try_move(
    shape, o, a, b, p, c, early_limit, limit, keep,
    n_objects, free, assignment, xs, pending_at, pending,
    blocks, X, W, home_w, item_of, home, upper, lower, penalty, terms, params, knots, cost,
    dynamic, dyn_row, dyn_base, dyn_table,
    linear, lin_w, lin_gamma, move_w, initial,
    groups, group_count, row_ptr, row_of, member_ptr, member,
    group_limit, group_penalty, group_term, group_param, allow_key, allow_count,
    leaves, nodes, value, old, touched, mark, n_touched, pointers, targets, leaf_w, pairs, pair_rate,
    distance,
    children, parents, pool, goal_w, allowance, node_penalty,
):  # fmt: skip
    """Price a move and, with `keep`, make it when it costs at most `limit`; inf when forbidden or above.

    `early_limit` is what it may cost before groups and remaining nodes had their say.
    """
    delta = sides_cost(
        shape, o, a, b, p, c, early_limit, n_objects, free, xs, pending_at, pending, blocks, X, W, home_w,
        item_of, home, upper, lower, penalty, terms, params, knots, cost, dynamic, dyn_row, dyn_base,
        dyn_table,
        linear, lin_w, lin_gamma, move_w, initial,
    )  # fmt: skip
    if delta == _INF:
        return _INF
    return late_cost(
        shape, o, a, b, p, c, delta, limit, keep,
        n_objects, free, assignment, xs, pending_at, pending,
        blocks, X, W, home_w, item_of, home, upper, lower, penalty, terms, params, knots, cost,
        dynamic, dyn_row, dyn_base, dyn_table,
        linear, lin_w, lin_gamma, move_w, initial,
        groups, group_count, row_ptr, row_of, member_ptr, member,
        group_limit, group_penalty, group_term, group_param, allow_key, allow_count,
        leaves, nodes, value, old, touched, mark, n_touched, pointers, targets, leaf_w, pairs, pair_rate,
        distance,
        children, parents, pool, goal_w, allowance, node_penalty,
    )  # fmt: skip
