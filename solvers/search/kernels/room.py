# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"


"""Make room for an object: who leaves a container for it, and for where."""

from __future__ import annotations

import numpy as np

from solvers.search.jit import kernel
from solvers.search.kernels.columns import apply_columns
from solvers.search.kernels.groups import groups_allow
from solvers.search.kernels.proposals import closed, open_place
from solvers.search.kernels.rng import below
from solvers.search.kernels.sides import exceeds, item_cost, linear_cost, move_cost
from solvers.search.layout import (
    AT_ASSIGNMENT,
    AT_BLOCKS,
    AT_GROUPS,
    AT_INITIAL,
    AT_ITEM_OF,
    AT_MAY_LEAVE,
    AT_PARTS,
    AT_SAVED,
    B_COLUMNS,
    B_ITEM_OF,
    B_ITEMS,
    B_X,
    BLOCK,
    FREE_GROUPS,
    INTACT,
    N_CONTAINERS,
    N_OBJECTS,
)

__all__ = ["make_room"]

_INF = np.inf
LOOK = 24
"""Members of a container that are looked at."""
LEAVERS = 3
"""Most objects that leave for one."""
PLACES = 8
"""Places tried for each object that leaves."""


@kernel
def _over(c, out, enter, H, J, F, V):
    """How many limits of the items of container `c` do not hold after `out` left and `enter` came."""
    over = 0
    for q in range(H[AT_BLOCKS], H[AT_BLOCKS + 1], BLOCK):
        s = J[H[AT_ITEM_OF] + H[q + B_ITEM_OF] + c]
        if s < H[q + B_ITEMS]:
            over += exceeds(q, s, out, enter, H, J, F, V)
    return over


@kernel
def _dearer(c, enter, H, J, F, G, V):
    """What the items of container `c` cost more once `enter` is there."""
    total = 0.0
    for q in range(H[AT_BLOCKS], H[AT_BLOCKS + 1], BLOCK):
        s = J[H[AT_ITEM_OF] + H[q + B_ITEM_OF] + c]
        if s < H[q + B_ITEMS]:
            for turn in range(2):
                cost = item_cost(q, s, H[N_OBJECTS], enter if turn == 0 else H[N_OBJECTS], H, J, F, G, V)
                total += cost if turn == 0 else -cost
    return total


@kernel
def _copy(c, at, back, H, J, V):
    """Copy the usage of the items of `c` to V[at:], or `back` from there; where the copy ends."""
    for q in range(H[AT_BLOCKS], H[AT_BLOCKS + 1], BLOCK):
        s, n = J[H[AT_ITEM_OF] + H[q + B_ITEM_OF] + c], H[q + B_COLUMNS]
        if s < H[q + B_ITEMS]:
            x = H[q + B_X] + s * n
            for j in range(n):
                if back:
                    V[x + j] = V[at + j]
                else:
                    V[at + j] = V[x + j]
        at += n
    return at


@kernel
def _leaver(o, b, over, first, members, rng, H, J, F, A, V):
    """Who of `b` should leave it so that fewer than `over` limits do not hold; -1: nobody alone helps."""
    count = first[b + 1] - first[b]
    if count == 0:
        return np.int64(-1)
    at, found = below(rng, count), np.int64(-1)
    for i in range(min(count, LOOK)):
        p = np.int64(members[first[b] + (at + i) % count])
        if p == o or A[H[AT_ASSIGNMENT] + p] != b:
            continue
        gone = False
        for k in range(H[AT_PARTS] + 1, H[AT_PARTS] + 1 + 3 * A[H[AT_PARTS]], 3):
            gone = gone or A[k] == p
        if gone:
            continue
        left = _over(b, p, H[N_OBJECTS], H, J, F, V)
        if left < over:
            over, found = left, p
            if left == 0:
                break
    return found


@kernel
def _place(narrow, p, a, b, mode, rng, H, J, F, G, A, V, C):
    """The cheapest of some places with room for `p`; -1: none."""
    n = H[N_CONTAINERS]
    check = H[AT_GROUPS] < H[AT_GROUPS + 1] and not mode & FREE_GROUPS
    best, found = _INF, np.int64(-1)
    for t in range(PLACES):
        if t == 0:
            c = np.int64(J[H[AT_INITIAL] + p])
        elif t == 1:
            c = np.int64(a)
        else:
            c = open_place(narrow, p, n, rng, H, J)
        if c == b or (c == n and J[H[AT_MAY_LEAVE] + p] == 0) or closed(narrow, p, c, H, J):
            continue
        if _over(c, H[N_OBJECTS], p, H, J, F, V) > 0:
            continue
        cost = _dearer(c, p, H, J, F, G, V)
        cost += move_cost(p, b, c, H, J, G) + linear_cost(p, b, c, H, J, F, G)
        if cost < best:
            if check and not groups_allow(p, b, c, 1, H, J, A, C):
                continue
            best, found = cost, c
    return found


@kernel
def make_room(narrow, o, mode, first, members, rng, H, J, F, G, A, V, C):
    """Write the parts of a move of `o` to a random container that others leave for it.

    Returns 0 where nothing had to be tried, -1 when nobody was found who leaves, else how many leave. Usage
    is changed on the way, and restored.
    """
    nobody = H[N_OBJECTS]
    a = np.int64(A[H[AT_ASSIGNMENT] + o])
    b = open_place(narrow, o, H[N_CONTAINERS], rng, H, J)
    if b == a or closed(narrow, o, b, H, J) or not mode & INTACT:
        return 0
    check = H[AT_GROUPS] < H[AT_GROUPS + 1] and not mode & FREE_GROUPS
    if check and not groups_allow(o, a, b, 1, H, J, A, C):
        return 0
    over = _over(b, nobody, o, H, J, F, V)
    if over == 0:
        return 0
    at = _copy(a, H[AT_SAVED], False, H, J, V)
    at = _copy(b, at, False, H, J, V)
    apply_columns(o, a, b, H, J, F, V)
    parts = H[AT_PARTS]
    A[parts], A[parts + 1], A[parts + 2], A[parts + 3] = 1, o, a, b
    while A[parts] <= LEAVERS:
        p = _leaver(o, b, over, first, members, rng, H, J, F, A, V)
        if p < 0:
            break
        c = _place(narrow, p, a, b, mode, rng, H, J, F, G, A, V, C)
        if c < 0:
            break
        at = _copy(c, at, False, H, J, V)
        apply_columns(p, b, c, H, J, F, V)
        i = parts + 1 + 3 * A[parts]
        A[i], A[i + 1], A[i + 2] = p, b, c
        A[parts] += 1
        over = _over(b, nobody, nobody, H, J, F, V)
        if over == 0:
            break
    size = (at - H[AT_SAVED]) // (A[parts] + 1)
    for i in range(A[parts] - 1, 0, -1):
        at -= size
        _copy(np.int64(A[parts + 3 + 3 * i]), at, True, H, J, V)
    _copy(b, at - size, True, H, J, V)
    _copy(a, at - 2 * size, True, H, J, V)
    return A[parts] - 1 if over == 0 else -1
