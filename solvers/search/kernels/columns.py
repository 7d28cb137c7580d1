# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable, assignment"


"""A move over all columns: what it costs there, and making it there.

Pricing goes in order of what rejects most: limits of everything touched, then costs that can fall by what the
touched items cost now.
"""

from __future__ import annotations

import numpy as np

from solvers.search.jit import inlined, kernel
from solvers.search.kernels.sides import (
    breach,
    dynamic_weight,
    exceeds,
    item_cost,
    linear_cost,
    move_cost,
)
from solvers.search.layout import (
    AT_BLOCKS,
    AT_COST,
    AT_HOME,
    AT_HOME_W,
    AT_ITEM_OF,
    AT_PARTS,
    AT_PENDING,
    AT_PENDING_AT,
    AT_SAVED,
    AT_W,
    B_COLUMNS,
    B_COST,
    B_DYNAMIC,
    B_FIRST_DYNAMIC,
    B_HOME,
    B_HOME_W,
    B_ITEM_OF,
    B_ITEMS,
    B_NONNEGATIVE,
    B_SPLIT,
    B_W,
    B_X,
    BLOCK,
    FREE_COLUMNS,
    INTACT,
    N_OBJECTS,
    ONE,
    THREE,
    TOUCH,
)

__all__ = ["apply_columns", "parts_cost", "restore_columns", "sides_cost"]

_INF = np.inf


@inlined
def sides_cost(shape, o, a, b, p, c, limit, mode, H, J, F, G, A, V):
    """What blocks and linear costs cost more after a move of one or two objects; inf: forbidden, too much.

    The touched items and their new costs are left in the scratch parts of `A` and `V`. One call site for
    every step, whatever the shape: inlined code is most of the machine code.
    """
    nobody = H[N_OBJECTS]
    list_at, pending = H[AT_PENDING_AT] + 1, H[AT_PENDING]
    n = 0
    saving = 0.0  # the most that items still to be priced can give back
    for turn in range(3 if shape == THREE else 2):
        for q in range(H[AT_BLOCKS], H[AT_BLOCKS + 1], BLOCK):
            items = H[AT_ITEM_OF] + H[q + B_ITEM_OF]
            sa, sb = J[items + a], J[items + b]
            if shape != THREE:
                if sa == sb:
                    continue
                s, leaves, enters = (sb, p, o) if turn == 0 else (sa, o, p)
            else:
                # items may coincide where containers do not: who comes and goes is taken together
                sc = J[items + c]
                if sa == sb and sb == sc:
                    continue
                if turn == 0:
                    s, leaves, enters = sb, p, o
                    if sa == sb:
                        enters = nobody
                    elif sb == sc:
                        leaves = nobody
                elif turn == 1:
                    s, leaves, enters = sc, nobody, p
                    if sc == sb:
                        continue
                    if sc == sa:
                        leaves = o
                else:
                    s, leaves, enters = sa, o, nobody
                    if sa in (sb, sc):
                        continue
            if s == H[q + B_ITEMS]:
                continue
            fee = 0.0
            if exceeds(q, s, leaves, enters, H, J, F, V):
                if mode & INTACT and not mode & FREE_COLUMNS:
                    return _INF
                fee = breach(q, s, leaves, enters, H[q + B_X] + s * H[q + B_COLUMNS], mode, H, J, F, G, V)
                if fee == _INF:
                    return _INF
            A[list_at + n] = q
            A[list_at + n + 1] = s
            A[list_at + n + 2] = leaves
            A[list_at + n + 3] = enters
            V[pending + n] = fee
            if H[q + B_NONNEGATIVE]:
                saving += V[H[AT_COST] + H[q + B_COST] + s]
            else:
                saving = _INF
            n += TOUCH
    delta = 0.0
    for part in range(1 if shape == ONE else 2):
        who, here, there = (o, a, b) if part == 0 else (p, b, c)
        delta += move_cost(who, here, there, H, J, G)
        delta += linear_cost(who, here, there, H, J, F, G)
    A[list_at - 1] = n
    return _priced(n, delta, saving, limit, H, J, F, G, A, V)


@inlined
def _priced(n, delta, saving, limit, H, J, F, G, A, V):
    """`delta` plus the changes of all listed items; inf as soon as it must be above `limit`."""
    list_at, pending = H[AT_PENDING_AT] + 1, H[AT_PENDING]
    if delta - saving > limit:
        return _INF
    for i in range(0, n, TOUCH):
        q, s = np.int64(A[list_at + i]), np.int64(A[list_at + i + 1])
        leaves, enters = np.int64(A[list_at + i + 2]), np.int64(A[list_at + i + 3])
        new = V[pending + i] + item_cost(q, s, leaves, enters, H, J, F, G, V)
        old = V[H[AT_COST] + H[q + B_COST] + s]
        V[pending + i] = new
        saving -= old
        delta += new - old
        if delta - saving > limit:
            return _INF
    return delta if delta <= limit else _INF


@kernel
def parts_cost(limit, mode, H, J, F, G, A, V):
    """Like `sides_cost` for the list of parts in `A`, whose columns are moved; inf: moved back again."""
    nobody = H[N_OBJECTS]
    parts, list_at, pending = H[AT_PARTS], H[AT_PENDING_AT] + 1, H[AT_PENDING]
    n = 0
    saved = H[AT_SAVED]
    saving = 0.0
    delta = 0.0
    for i in range(parts + 1, parts + 1 + 3 * A[parts], 3):
        who, here, there = np.int64(A[i]), np.int64(A[i + 1]), np.int64(A[i + 2])
        delta += move_cost(who, here, there, H, J, G)
        delta += linear_cost(who, here, there, H, J, F, G)
        for q in range(H[AT_BLOCKS], H[AT_BLOCKS + 1], BLOCK):
            items = H[AT_ITEM_OF] + H[q + B_ITEM_OF]
            if J[items + here] == J[items + there]:
                continue
            for turn in range(2):
                s = J[items + (here if turn == 0 else there)]
                known = s == H[q + B_ITEMS]
                for k in range(0, n, TOUCH):
                    known = known or (A[list_at + k] == q and A[list_at + k + 1] == s)
                if known:
                    continue
                A[list_at + n] = q
                A[list_at + n + 1] = s
                A[list_at + n + 2] = nobody
                A[list_at + n + 3] = nobody
                A[list_at + n + 4] = saved
                columns = H[q + B_COLUMNS]
                for j in range(columns):
                    V[saved + j] = V[H[q + B_X] + s * columns + j]
                saved += columns
                if H[q + B_NONNEGATIVE]:
                    saving += V[H[AT_COST] + H[q + B_COST] + s]
                else:
                    saving = _INF
                n += TOUCH
    A[list_at - 1] = n
    for i in range(parts + 1, parts + 1 + 3 * A[parts], 3):
        apply_columns(np.int64(A[i]), np.int64(A[i + 1]), np.int64(A[i + 2]), H, J, F, V)
    for i in range(0, n, TOUCH):
        q, s = np.int64(A[list_at + i]), np.int64(A[list_at + i + 1])
        V[pending + i] = 0.0
        if exceeds(q, s, nobody, nobody, H, J, F, V):
            fee = breach(q, s, nobody, nobody, np.int64(A[list_at + i + 4]), mode, H, J, F, G, V)
            if fee == _INF:
                restore_columns(H, A, V)
                return _INF
            V[pending + i] = fee
    delta = _priced(n, delta, saving, limit, H, J, F, G, A, V)
    if delta == _INF:
        restore_columns(H, A, V)
    return delta


@kernel
def restore_columns(H, A, V):
    """Take back what `parts_cost` did to the columns."""
    list_at = H[AT_PENDING_AT] + 1
    for i in range(0, A[list_at - 1], TOUCH):
        q, s, saved = np.int64(A[list_at + i]), np.int64(A[list_at + i + 1]), np.int64(A[list_at + i + 4])
        columns = H[q + B_COLUMNS]
        for j in range(columns):
            V[H[q + B_X] + s * columns + j] = V[saved + j]


@kernel
def apply_columns(o, a, b, H, J, F, V):
    """Move the weights of `o` from `a` to `b` in all usage tables."""
    for q in range(H[AT_BLOCKS], H[AT_BLOCKS + 1], BLOCK):
        items = H[AT_ITEM_OF] + H[q + B_ITEM_OF]
        sa, sb = J[items + a], J[items + b]
        if sa == sb:
            continue
        n, split, first = H[q + B_COLUMNS], H[q + B_SPLIT], H[q + B_DYNAMIC]
        w = H[AT_W] + H[q + B_W] + o * n
        h = J[H[AT_HOME] + H[q + B_HOME] + o]
        hw = H[AT_HOME_W] + H[q + B_HOME_W] + o * (first - split) - split
        k = H[q + B_FIRST_DYNAMIC] - first
        for turn in range(2):
            s, sign = (sa, -1.0) if turn == 0 else (sb, 1.0)
            if s == H[q + B_ITEMS]:
                continue
            x = H[q + B_X] + s * n
            for j in range(split):
                V[x + j] += sign * F[w + j]
            for j in range(split, first):
                V[x + j] += sign * (F[hw + j] if h == s else F[w + j])
            for j in range(first, n):
                V[x + j] += sign * dynamic_weight(k + j, o, s, h == s, H, J, F)
