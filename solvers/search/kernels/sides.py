# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"


"""One item of a scope: do its limits hold, and what does it cost, when an object leaves and another enters.

Object index H[N_OBJECTS] is nobody (its weights are zero), item index n is "no item". Offsets are unsigned in
the loops over columns, because that is what the compiler vectorises.
"""

from __future__ import annotations

import math

import numpy as np

from solvers.search.jit import inlined, kernel
from solvers.search.kernels.functions import function
from solvers.search.layout import (
    AT_DYN_BASE,
    AT_DYN_ROW,
    AT_DYN_TABLE,
    AT_DYNAMIC,
    AT_HOME,
    AT_HOME_W,
    AT_INITIAL,
    AT_ITEM_OF,
    AT_KNOTS,
    AT_LIN_GAMMA,
    AT_LIN_W,
    AT_LINEAR,
    AT_LOWER,
    AT_MOVE_W,
    AT_PARAMS,
    AT_PENALTY,
    AT_RUNS,
    AT_UPPER,
    AT_W,
    B_COLUMNS,
    B_DYNAMIC,
    B_FIRST_DYNAMIC,
    B_HOME,
    B_HOME_W,
    B_LOWER,
    B_PARAM,
    B_PENALTY,
    B_RUN,
    B_RUN_END,
    B_SPLIT,
    B_W,
    B_WIDTH,
    B_X,
    BY_ITEM,
    D_AWAY_FACTOR,
    D_HOME_FACTOR,
    D_ITEMS,
    D_TABLE,
    DYN,
    FREE_COLUMNS,
    L_DYNAMIC,
    L_GAMMA,
    L_HOME,
    L_ITEM_OF,
    L_KIND,
    L_WEIGHT,
    LIN,
    LIN_DYNAMIC,
    LIN_UNIFORM,
    N_OBJECTS,
    POSITIVE_PART,
    R_CLASS,
    R_COLUMN,
    R_COUNT,
    R_KIND,
    R_KNOTS,
    R_PARAM,
    RUN,
    SPLIT,
)

__all__ = ["breach", "dynamic_weight", "exceeds", "item_cost", "linear_cost", "move_cost"]

_INF = np.inf
_u = np.uint64


@inlined
def dynamic_weight(k, o, s, at_home, H, J, F):
    """Weight of object `o` on item `s` by dynamic table `k`."""
    record = H[AT_DYNAMIC] + k * DYN
    factor = H[record + D_HOME_FACTOR] if at_home else H[record + D_AWAY_FACTOR]
    if factor == 0 or o == H[N_OBJECTS]:
        return 0.0
    place = k * (H[N_OBJECTS] + 1) + o
    row = J[H[AT_DYN_ROW] + place]
    if row >= 0:
        w = F[H[AT_DYN_TABLE] + H[record + D_TABLE] + row * H[record + D_ITEMS] + s]
        if not math.isnan(w):  # NaN: nothing is stored, the base holds
            return factor * w
    return factor * F[H[AT_DYN_BASE] + place]


@inlined
def _split_row(q, o, s, H, J):
    """Where the weights of `o` on `s` are in F, such that adding a split column's number finds its weight."""
    if J[H[AT_HOME] + H[q + B_HOME] + o] == s:
        split = H[q + B_SPLIT]
        return H[AT_HOME_W] + H[q + B_HOME_W] + o * (H[q + B_DYNAMIC] - split) - split
    return H[AT_W] + H[q + B_W] + o * H[q + B_COLUMNS]


@inlined
def _by_item(q, j, s, out, enter, H, J, F):
    """Change of dynamic column `j` of item `s`."""
    k = H[q + B_FIRST_DYNAMIC] + j - H[q + B_DYNAMIC]
    home = H[AT_HOME] + H[q + B_HOME]
    return dynamic_weight(k, enter, s, J[home + enter] == s, H, J, F) - dynamic_weight(
        k, out, s, J[home + out] == s, H, J, F
    )


@inlined
def exceeds(q, s, out, enter, H, J, F, V):
    """How many column limits of item `s` do not hold after `out` left and `enter` came."""
    n, split, first = H[q + B_COLUMNS], H[q + B_SPLIT], H[q + B_DYNAMIC]
    x = _u(H[q + B_X] + s * n)
    top = _u(H[AT_UPPER]) + x
    leaves, comes = _u(H[AT_W] + H[q + B_W] + out * n), _u(H[AT_W] + H[q + B_W] + enter * n)
    over = 0
    for j in range(_u(split)):
        over += V[x + j] - F[leaves + j] + F[comes + j] > F[top + j]
    if split < first:
        leaves, comes = _u(_split_row(q, out, s, H, J)), _u(_split_row(q, enter, s, H, J))
        for j in range(_u(split), _u(first)):
            over += V[x + j] - F[leaves + j] + F[comes + j] > F[top + j]
    for i in range(first, n):
        over += V[x + _u(i)] + _by_item(q, i, s, out, enter, H, J, F) > F[top + _u(i)]
    if H[q + B_LOWER]:
        bottom = _u(H[AT_LOWER]) + x
        leaves, comes = _u(H[AT_W] + H[q + B_W] + out * n), _u(H[AT_W] + H[q + B_W] + enter * n)
        for j in range(_u(split)):
            over += V[x + j] - F[leaves + j] + F[comes + j] < F[bottom + j]
        leaves, comes = _u(_split_row(q, out, s, H, J)), _u(_split_row(q, enter, s, H, J))
        for j in range(_u(split), _u(first)):
            over += V[x + j] - F[leaves + j] + F[comes + j] < F[bottom + j]
        for i in range(first, n):
            over += V[x + _u(i)] + _by_item(q, i, s, out, enter, H, J, F) < F[bottom + _u(i)]
    return over


@kernel
def breach(q, s, out, enter, before, mode, H, J, F, G, V):
    """Penalty for the limits of `s` that do not hold then; inf if one is exceeded further than before.

    `before`: where the usage that counts as before is in V. With `FREE_COLUMNS`, never inf.
    """
    n, split, first = H[q + B_COLUMNS], H[q + B_SPLIT], H[q + B_DYNAMIC]
    x = H[q + B_X] + s * n
    total = 0.0
    for j in range(n):
        if j < first:
            row = H[AT_W] + H[q + B_W]
            leaves, comes = row + out * n, row + enter * n
            if j >= split:
                leaves, comes = _split_row(q, out, s, H, J), _split_row(q, enter, s, H, J)
            y = V[x + j] - F[leaves + j] + F[comes + j]
        else:
            y = V[x + j] + _by_item(q, j, s, out, enter, H, J, F)
        high, low, old = F[H[AT_UPPER] + x + j], F[H[AT_LOWER] + x + j], V[before + j]
        if y > high:
            if y > old and not mode & FREE_COLUMNS:
                return _INF
            total += G[H[AT_PENALTY] + H[q + B_PENALTY] + j] * (y - high)
        elif y < low:
            if y < old and not mode & FREE_COLUMNS:
                return _INF
            total += G[H[AT_PENALTY] + H[q + B_PENALTY] + j] * (low - y)
    return total


@inlined
def item_cost(q, s, out, enter, H, J, F, G, V):
    """What the terms of item `s` of the block at `q` cost after `out` left and `enter` came."""
    n = H[q + B_COLUMNS]
    x0 = _u(H[q + B_X] + s * n)
    row = H[AT_PARAMS] + H[q + B_PARAM] + s * H[q + B_WIDTH]
    weights = H[AT_W] + H[q + B_W]
    total = 0.0
    for r in range(H[AT_RUNS] + H[q + B_RUN], H[AT_RUNS] + H[q + B_RUN_END], RUN):
        kind, column, count = H[r + R_KIND], H[r + R_COLUMN], H[r + R_COUNT]
        group = H[r + R_CLASS]
        alpha = _u(row + H[r + R_PARAM])
        beta = alpha + _u(count)
        gamma = beta + _u(count)
        if group == SPLIT:
            leaves, comes = _split_row(q, out, s, H, J) + column, _split_row(q, enter, s, H, J) + column
        else:
            leaves, comes = weights + out * n + column, weights + enter * n + column
        x = x0 + _u(column)
        if kind == POSITIVE_PART and group != BY_ITEM:
            for j in range(_u(count)):
                y = V[x + j] - F[_u(leaves) + j] + F[_u(comes) + j]
                v = G[alpha + j] * y + G[beta + j]
                total += G[gamma + j] * (v if v > 0.0 else 0.0)
        else:
            for j in range(_u(count)):
                if group == BY_ITEM:
                    y = V[x + j] + _by_item(q, column + np.int64(j), s, out, enter, H, J, F)
                else:
                    y = V[x + j] - F[_u(leaves) + j] + F[_u(comes) + j]
                v = G[alpha + j] * y + G[beta + j]
                total += G[gamma + j] * function(kind, v, F, H[AT_KNOTS] + H[r + R_KNOTS])
    return total


@inlined
def move_cost(o, a, b, H, J, G):
    """Change of what it costs to have moved, when `o` goes from `a` to `b`."""
    first = J[H[AT_INITIAL] + o]
    return G[H[AT_MOVE_W] + o] * ((1.0 if b != first else 0.0) - (1.0 if a != first else 0.0))


@inlined
def linear_cost(o, a, b, H, J, F, G):
    """Change of the costs that are linear in the assignment when `o` goes from container `a` to `b`."""
    delta = 0.0
    for r in range(H[AT_LINEAR], H[AT_LINEAR + 1], LIN):
        items = H[AT_ITEM_OF] + H[r + L_ITEM_OF]
        sa, sb = J[items + a], J[items + b]
        if sa == sb:
            continue
        kind = H[r + L_KIND]
        h = J[H[AT_HOME] + H[r + L_HOME] + o]
        gamma_at = H[AT_LIN_GAMMA] + H[r + L_GAMMA]
        for turn in range(2):
            s = sb if turn == 0 else sa
            gamma = G[gamma_at + sb] if turn == 0 else -G[gamma_at + sa]
            if gamma == 0.0:
                continue
            if kind == LIN_DYNAMIC:
                delta += gamma * dynamic_weight(H[r + L_DYNAMIC], o, s, h == s, H, J, F)
            elif kind == LIN_UNIFORM or h != s:
                delta += gamma * F[H[AT_LIN_W] + H[r + L_WEIGHT] + o]
            else:
                delta += gamma * F[H[AT_LIN_W] + H[r + L_WEIGHT] + H[N_OBJECTS] + 1 + o]
    return delta
