# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"

"""What one item costs when an object leaves it and another enters, and what a move costs over all blocks.

Object index P is nobody (its weights are zero), container index M is "unassigned", item index n is "no item".
"""

from __future__ import annotations

import math

import numpy as np

from solvers.search.jit import inlined, kernel
from solvers.search.kernels.functions import function
from solvers.search.layout import (
    B_COLUMNS,
    B_COST,
    B_DYNAMIC,
    B_FIRST_DYNAMIC,
    B_HOME,
    B_HOME_W,
    B_ITEM_OF,
    B_ITEMS,
    B_NONNEGATIVE,
    B_PARAM,
    B_PENALTY,
    B_SPLIT,
    B_TERM,
    B_TERM_END,
    B_W,
    B_X,
    BLOCK,
    D_AWAY_FACTOR,
    D_HOME_FACTOR,
    D_ITEMS,
    D_TABLE,
    DYN,
    L_DYNAMIC,
    L_GAMMA,
    L_HOME,
    L_ITEM_OF,
    L_KIND,
    L_WEIGHT,
    LIN,
    LIN_DYNAMIC,
    LIN_UNIFORM,
    ONE,
    POSITIVE_PART,
    T_COLUMN,
    T_KIND,
    T_KNOTS,
    TERM,
    THREE,
)

__all__ = ["apply_columns", "dynamic_weight", "linear_cost", "side", "sides_cost"]

_INF = np.inf


@inlined
def dynamic_weight(k, o, s, at_home, n_objects, dynamic, dyn_row, dyn_base, dyn_table):
    """Weight of object `o` on item `s` by dynamic table `k`."""
    factor = dynamic[k * DYN + D_HOME_FACTOR] if at_home else dynamic[k * DYN + D_AWAY_FACTOR]
    if factor == 0 or o == n_objects:
        return 0.0
    place = k * (n_objects + 1) + o
    row = dyn_row[place]
    if row >= 0:
        w = dyn_table[dynamic[k * DYN + D_TABLE] + row * dynamic[k * DYN + D_ITEMS] + s]
        if not math.isnan(w):  # NaN: nothing is stored, the base holds
            return factor * w
    return factor * dyn_base[place]


@inlined
def side(
    q, s, out, enter, n_objects, free, xs,
    blocks, X, W, home_w, home, upper, lower, penalty, terms, params, knots,
    dynamic, dyn_row, dyn_base, dyn_table,
):  # fmt: skip
    """Cost of item `s` of the block at `q` after `out` left and `enter` came; inf where a limit forbids it.

    A limit that is broken already may stay broken, not get worse; `free`: limits only cost their penalty.
    """
    n = blocks[q + B_COLUMNS]
    split = blocks[q + B_SPLIT]
    first = blocks[q + B_DYNAMIC]
    x0 = blocks[q + B_X] + s * n
    w_out = blocks[q + B_W] + out * n
    w_in = blocks[q + B_W] + enter * n
    total = 0.0
    fee = blocks[q + B_PENALTY]
    width = first - split
    out_home, in_home = False, False
    if split < n:
        out_home = home[blocks[q + B_HOME] + out] == s
        in_home = home[blocks[q + B_HOME] + enter] == s
    for j in range(n):
        leaves = W[w_out + j]
        comes = W[w_in + j]
        if j >= split:
            if j < first:
                if out_home:
                    leaves = home_w[blocks[q + B_HOME_W] + out * width + j - split]
                if in_home:
                    comes = home_w[blocks[q + B_HOME_W] + enter * width + j - split]
            else:
                k = blocks[q + B_FIRST_DYNAMIC] + j - first
                leaves = dynamic_weight(k, out, s, out_home, n_objects, dynamic, dyn_row, dyn_base, dyn_table)
                comes = dynamic_weight(k, enter, s, in_home, n_objects, dynamic, dyn_row, dyn_base, dyn_table)
        x = X[x0 + j]
        y = x - leaves + comes
        if y > upper[x0 + j]:
            if y > x and not free:
                return _INF
            total += penalty[fee + j] * (y - upper[x0 + j])
        elif y < lower[x0 + j]:
            if y < x and not free:
                return _INF
            total += penalty[fee + j] * (lower[x0 + j] - y)
        xs[j] = y
    t0 = blocks[q + B_TERM]
    t1 = blocks[q + B_TERM_END]
    p = blocks[q + B_PARAM] + s * (t1 - t0) * 3
    for t in range(t0, t1):
        v = params[p] * xs[terms[t * TERM + T_COLUMN]] + params[p + 1]
        kind = terms[t * TERM + T_KIND]
        if kind == POSITIVE_PART:
            if v > 0.0:
                total += params[p + 2] * v
        else:
            total += params[p + 2] * function(kind, v, knots, terms[t * TERM + T_KNOTS])
        p += 3
    return total


@inlined
def linear_cost(
    o, a, b, n_objects, linear, lin_w, lin_gamma, item_of, home, dynamic, dyn_row, dyn_base, dyn_table
):
    """Change of the costs that are linear in the assignment when `o` goes from container `a` to `b`."""
    delta = 0.0
    for r in range(0, linear.size, LIN):
        sa = item_of[linear[r + L_ITEM_OF] + a]
        sb = item_of[linear[r + L_ITEM_OF] + b]
        if sa == sb:
            continue
        kind = linear[r + L_KIND]
        h = home[linear[r + L_HOME] + o]
        for turn in range(2):
            s, gamma = (
                (sb, lin_gamma[linear[r + L_GAMMA] + sb])
                if turn == 0
                else (sa, -lin_gamma[linear[r + L_GAMMA] + sa])
            )
            if gamma == 0.0:
                continue
            if kind == LIN_DYNAMIC:
                delta += gamma * dynamic_weight(
                    linear[r + L_DYNAMIC], o, s, h == s, n_objects, dynamic, dyn_row, dyn_base, dyn_table
                )
            elif kind == LIN_UNIFORM or h != s:
                delta += gamma * lin_w[linear[r + L_WEIGHT] + o]
            else:
                delta += gamma * lin_w[linear[r + L_WEIGHT] + n_objects + 1 + o]
    return delta


@inlined
def sides_cost(
    shape, o, a, b, p, c, limit, n_objects, free, xs, pending_at, pending,
    blocks, X, W, home_w, item_of, home, upper, lower, penalty, terms, params, knots, cost,
    dynamic, dyn_row, dyn_base, dyn_table, linear, lin_w, lin_gamma, move_w, initial,
):  # fmt: skip
    """What blocks and linear costs cost more after the move; inf when forbidden or above `limit`.

    The item entered first is priced first, because that is where limits bite. The new costs of the touched
    items are left in `pending`. One call site for `side`, whatever the shape: it is most of the machine code.
    """
    n_pending = 0
    delta = 0.0
    for turn in range(1 if shape == ONE else 2):
        who, here, there = (o, a, b) if turn == 0 else (p, b, c)
        delta += move_w[who] * (
            (1.0 if there != initial[who] else 0.0) - (1.0 if here != initial[who] else 0.0)
        )
    saving = 0.0  # the most that items still to be priced can give back
    for q in range(0, blocks.size, BLOCK):
        sa = item_of[blocks[q + B_ITEM_OF] + a]
        sb = item_of[blocks[q + B_ITEM_OF] + b]
        sc = item_of[blocks[q + B_ITEM_OF] + c]
        if sa != sb or (shape == THREE and sc != sb):
            if not blocks[q + B_NONNEGATIVE]:
                saving = _INF
                break
            saving += cost[blocks[q + B_COST] + sa]
            if shape == THREE:
                saving += cost[blocks[q + B_COST] + sc]
    for turn in range(3 if shape == THREE else 2):
        for q in range(0, blocks.size, BLOCK):
            sa = item_of[blocks[q + B_ITEM_OF] + a]
            sb = item_of[blocks[q + B_ITEM_OF] + b]
            if shape != THREE:
                if sa == sb:
                    continue
                s, leaves, enters = (sb, p, o) if turn == 0 else (sa, o, p)
            else:
                # items may coincide where containers do not: who comes and goes is taken together
                sc = item_of[blocks[q + B_ITEM_OF] + c]
                if sa == sb and sb == sc:
                    continue
                if turn == 0:
                    s, leaves, enters = sb, p, o
                    if sa == sb:
                        enters = n_objects
                    elif sb == sc:
                        leaves = n_objects
                elif turn == 1:
                    s, leaves, enters = sc, n_objects, p
                    if sc == sb:
                        continue
                    if sc == sa:
                        leaves = o
                else:
                    s, leaves, enters = sa, o, n_objects
                    if sa in (sb, sc):
                        continue
            if s == blocks[q + B_ITEMS]:
                continue
            new = side(
                q, s, leaves, enters, n_objects, free, xs, blocks, X, W, home_w, home, upper, lower, penalty,
                terms, params, knots, dynamic, dyn_row, dyn_base, dyn_table,
            )  # fmt: skip
            if new == _INF:
                return _INF
            place = blocks[q + B_COST] + s
            delta += new - cost[place]
            if turn == 0 and linear.size == 0 and delta - saving > limit:
                return _INF
            n_pending += 1
            pending_at[n_pending] = place
            pending[n_pending] = new
        if turn == 0 and linear.size:
            for part in range(1 if shape == ONE else 2):
                who, here, there = (o, a, b) if part == 0 else (p, b, c)
                delta += linear_cost(
                    who, here, there, n_objects, linear, lin_w, lin_gamma, item_of, home,
                    dynamic, dyn_row, dyn_base, dyn_table,
                )  # fmt: skip
            if delta - saving > limit:
                return _INF
    pending_at[0] = n_pending
    return delta if delta <= limit else _INF


@kernel
def apply_columns(
    o, a, b, n_objects, blocks, X, W, home_w, item_of, home, dynamic, dyn_row, dyn_base, dyn_table
):
    """Move the weights of `o` from `a` to `b` in all usage tables."""
    for q in range(0, blocks.size, BLOCK):
        sa = item_of[blocks[q + B_ITEM_OF] + a]
        sb = item_of[blocks[q + B_ITEM_OF] + b]
        if sa == sb:
            continue
        n = blocks[q + B_COLUMNS]
        split = blocks[q + B_SPLIT]
        first = blocks[q + B_DYNAMIC]
        w = blocks[q + B_W] + o * n
        h = home[blocks[q + B_HOME] + o]
        hw = blocks[q + B_HOME_W] + o * (first - split) - split
        k = blocks[q + B_FIRST_DYNAMIC] - first
        for turn in range(2):
            s, sign = (sa, -1.0) if turn == 0 else (sb, 1.0)
            if s == blocks[q + B_ITEMS]:
                continue
            x = blocks[q + B_X] + s * n
            for j in range(split):
                X[x + j] += sign * W[w + j]
            for j in range(split, first):
                X[x + j] += sign * (home_w[hw + j] if h == s else W[w + j])
            for j in range(first, n):
                X[x + j] += sign * dynamic_weight(
                    k + j, o, s, h == s, n_objects, dynamic, dyn_row, dyn_base, dyn_table
                )
