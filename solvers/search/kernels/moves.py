# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"

"""One move: price it, and keep it when it costs no more than a limit."""

from __future__ import annotations

import numpy as np

from solvers.search.jit import inlined, kernel
from solvers.search.kernels.columns import apply_columns, parts_cost, restore_columns, sides_cost
from solvers.search.kernels.dag import leaf_shift, propagate, settle
from solvers.search.kernels.groups import group_shift, groups_allow
from solvers.search.layout import (
    AT_ASSIGNMENT,
    AT_COST,
    AT_GROUPS,
    AT_NET,
    AT_NODES,
    AT_PARTS,
    AT_PENDING,
    AT_PENDING_AT,
    B_COST,
    FREE_GROUPS,
    MANY,
    ONE,
    TOUCH,
)

__all__ = ["late_cost", "try_move", "write_parts"]

_INF = np.inf


@inlined
def write_parts(shape, o, a, b, p, c, H, A):
    """The list of parts for a move of one or two objects."""
    at = H[AT_PARTS]
    A[at] = 1 if shape == ONE else 2
    A[at + 1] = o
    A[at + 2] = a
    A[at + 3] = b
    A[at + 4] = p
    A[at + 5] = b
    A[at + 6] = c


@inlined
def _undo_groups(H, J, F, G, A, V, C):
    """Take the parts back in all counts and in the assignment, the last one first."""
    at = H[AT_PARTS]
    for i in range(at + 1 + 3 * (A[at] - 1), at, -3):
        group_shift(np.int64(A[i]), np.int64(A[i + 2]), np.int64(A[i + 1]), H, J, F, G, A, V, C)


@kernel
def late_cost(delta, limit, mode, keep, applied, H, J, F, G, A, V, C):
    """`delta` plus what groups and the remaining nodes say; with `keep`, the move is made if at most `limit`.

    Needs the list of parts, and what `sides_cost` or `parts_cost` left (`applied`: the latter, which has
    moved the columns). Returns inf when forbidden; without `keep`, or when not made, everything is as before.
    """
    at = H[AT_PARTS]
    n_parts = A[at]
    has_groups, has_nodes = H[AT_GROUPS] < H[AT_GROUPS + 1], H[AT_NODES] < H[AT_NODES + 1]
    made = True
    shifted = False
    if has_groups:
        bound = not mode & FREE_GROUPS
        if bound and n_parts == 1:
            made = groups_allow(np.int64(A[at + 1]), np.int64(A[at + 2]), np.int64(A[at + 3]), 1, H, J, A, C)
        if made:
            shifted = True
            V[H[AT_NET]] = 0.0
            for i in range(at + 1, at + 1 + 3 * n_parts, 3):
                delta += group_shift(
                    np.int64(A[i]), np.int64(A[i + 1]), np.int64(A[i + 2]), H, J, F, G, A, V, C
                )
            if bound:
                made = V[H[AT_NET]] <= 0.0
                if made and n_parts > 1 and (delta <= limit or has_nodes):
                    for i in range(at + 1, at + 1 + 3 * n_parts, 3):
                        made = made and groups_allow(
                            np.int64(A[i]), np.int64(A[i + 1]), np.int64(A[i + 2]), 0, H, J, A, C
                        )
        if not made:
            delta = _INF
        made = made and (delta <= limit or has_nodes)
    if made and has_nodes:
        for i in range(at + 1, at + 1 + 3 * n_parts, 3):
            A[H[AT_ASSIGNMENT] + A[i]] = A[i + 1]
        for i in range(at + 1, at + 1 + 3 * n_parts, 3):
            leaf_shift(np.int64(A[i]), np.int64(A[i + 1]), np.int64(A[i + 2]), H, J, F, A, V)
        delta += propagate(mode, H, J, F, G, A, V)
        settle(H, A, V, keep and delta <= limit)
    made = made and keep and delta <= limit
    if made:
        pending_at = H[AT_PENDING_AT]
        for i in range(0, A[pending_at], TOUCH):
            q, s = np.int64(A[pending_at + 1 + i]), np.int64(A[pending_at + 2 + i])
            V[H[AT_COST] + H[q + B_COST] + s] = V[H[AT_PENDING] + i]
        for i in range(at + 1, at + 1 + 3 * n_parts, 3):
            A[H[AT_ASSIGNMENT] + A[i]] = A[i + 2]
            if not applied:
                apply_columns(np.int64(A[i]), np.int64(A[i + 1]), np.int64(A[i + 2]), H, J, F, V)
        return delta
    if shifted:
        _undo_groups(H, J, F, G, A, V, C)
    for i in range(at + 1, at + 1 + 3 * n_parts, 3):
        A[H[AT_ASSIGNMENT] + A[i]] = A[i + 1]
    if applied:
        restore_columns(H, A, V)
    return delta


@kernel
def try_move(shape, o, a, b, p, c, early_limit, limit, mode, keep, H, J, F, G, A, V, C):
    """Price a move and, with `keep`, make it when it costs at most `limit`; inf when forbidden or above.

    `early_limit` is what it may cost before groups and remaining nodes had their say. With shape `MANY` the
    list of parts in `A` is the move.
    """
    if shape == MANY:
        delta = parts_cost(early_limit, mode, H, J, F, G, A, V)
    else:
        delta = sides_cost(shape, o, a, b, p, c, early_limit, mode, H, J, F, G, A, V)
        write_parts(shape, o, a, b, p, c, H, A)
    if delta == _INF:
        return _INF
    return late_cost(delta, limit, mode, keep, shape == MANY, H, J, F, G, A, V, C)
