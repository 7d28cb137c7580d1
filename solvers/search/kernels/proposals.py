# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"


"""Which move to try next: partners for an object, and the moves of several objects."""

from __future__ import annotations

import numpy as np

from solvers.search.jit import inlined, kernel
from solvers.search.kernels.rng import below, next64
from solvers.search.layout import (
    AT_ASSIGNMENT,
    AT_KIN_MEMBER,
    AT_KIN_MEMBER_PTR,
    AT_KIN_OF,
    AT_KIN_PTR,
    AT_MAY_LEAVE,
    AT_NEAR,
    AT_NEAR_PTR,
    AT_OPEN,
    AT_OPEN_BITS,
    AT_OPEN_PTR,
    AT_PARTS,
    CARRY,
    CYCLE,
    GATHER,
    MAX_PARTS,
    N_CONTAINERS,
    N_OBJECTS,
)

__all__ = ["beside", "closed", "join_place", "open_place", "propose_parts", "similar"]


@inlined
def closed(narrow, o, c, H, J):
    """Whether container `c` is closed to `o` wherever all others are; never, unless `narrow`."""
    if not narrow:
        return False
    word = H[AT_OPEN_BITS] + o * ((H[N_CONTAINERS] >> 5) + 1) + (c >> 5)
    return (J[word] >> (c & 31)) & 1 == 0


@inlined
def open_place(narrow, o, n_places, rng, H, J):
    """A random one of `n_places` ("unassigned" may be the last), with `narrow` one that is open to `o`."""
    if narrow:
        at = H[AT_OPEN_PTR] + o
        count = H[at + 1] - H[at]
        if count > 0:
            return np.int64(J[H[AT_OPEN] + H[at] + below(rng, count)])
    return below(rng, n_places)


@kernel
def similar(o, n_orders, order, rank, rng, H):
    """An object near `o` in the order of a random weight, at a distance of a random magnitude; -1: none."""
    n = H[N_OBJECTS]
    r = below(rng, n_orders) * n
    radius = n >> (1 + below(rng, 16))
    place = rank[r + o] + below(rng, 2 * radius + 3) - radius - 1
    return np.int64(order[r + place]) if 0 <= place < n else np.int64(-1)


@kernel
def _kin_row(o, rng, H, J):
    """A random group of `o`; -1: none."""
    at = H[AT_KIN_PTR] + o
    count = H[at + 1] - H[at]
    return np.int64(J[H[AT_KIN_OF] + H[at] + below(rng, count)]) if count > 0 else np.int64(-1)


@kernel
def _kin(o, rng, H, J):
    """Another object of a random group of `o`; -1: none."""
    row = _kin_row(o, rng, H, J)
    if row < 0:
        return np.int64(-1)
    at = H[AT_KIN_MEMBER_PTR] + row
    other = np.int64(J[H[AT_KIN_MEMBER] + H[at] + below(rng, H[at + 1] - H[at])])
    return other if other != o else np.int64(-1)


@kernel
def _near(c, rng, H, J):
    """A random container that shares a random scope's item with `c`, often `c` itself."""
    m = H[N_CONTAINERS]
    n_scopes = (H[AT_NEAR_PTR + 1] - H[AT_NEAR_PTR]) // (2 * m)
    k = below(rng, n_scopes + 1)
    if k == n_scopes or c >= m:
        return np.int64(c)
    at = H[AT_NEAR_PTR] + 2 * (k * m + c)
    count = J[at + 1] - J[at]
    return np.int64(J[H[AT_NEAR] + J[at] + below(rng, count)]) if count > 0 else np.int64(c)


@kernel
def join_place(o, rng, H, J, A):
    """Where another object of a group of `o` is, or near it; -1: no group."""
    p = _kin(o, rng, H, J)
    return _near(A[H[AT_ASSIGNMENT] + p], rng, H, J) if p >= 0 else np.int64(-1)


@kernel
def beside(c, first, members, rng, H, A):
    """An object on container `c`; -1: none, or the one drawn has left since they were listed."""
    count = first[c + 1] - first[c]
    if count == 0:
        return np.int64(-1)
    p = np.int64(members[first[c] + below(rng, count)])
    return p if A[H[AT_ASSIGNMENT] + p] == c else np.int64(-1)


@kernel
def _add_part(narrow, o, b, H, J, A):
    """Add ``o → b`` to the parts; False when it makes the move impossible."""
    at = H[AT_PARTS]
    a = A[H[AT_ASSIGNMENT] + o]
    if a == b or A[at] >= MAX_PARTS or (b == H[N_CONTAINERS] and J[H[AT_MAY_LEAVE] + o] == 0):
        return False
    if closed(narrow, o, b, H, J):
        return False
    for i in range(at + 1, at + 1 + 3 * A[at], 3):
        if A[i] == o:
            return False
    i = at + 1 + 3 * A[at]
    A[i] = o
    A[i + 1] = a
    A[i + 2] = b
    A[at] += 1
    return True


@kernel
def propose_parts(kind, narrow, o, n_orders, order, rank, first, members, rng, H, J, A):
    """Write the parts of a move of several objects that starts from `o`; False when there is none.

    CYCLE: o, p and r change places in a ring. CARRY: o moves, an object of one of its groups follows near.
    GATHER: the members of a group of `o` that are where `o` is, or all that is there, move together. TRADE: o
    and a neighbour move, and an object comes back in their place or not.
    """
    n, m = H[N_OBJECTS], H[N_CONTAINERS]
    where = H[AT_ASSIGNMENT]
    a = np.int64(A[where + o])
    A[H[AT_PARTS]] = 0
    if kind == CYCLE:
        p = similar(o, n_orders, order, rank, rng, H) if n_orders > 0 else below(rng, n)
        r = similar(o, n_orders, order, rank, rng, H) if n_orders > 0 else below(rng, n)
        if p < 0 or r < 0:
            return False
        return (
            _add_part(narrow, o, A[where + p], H, J, A)
            and _add_part(narrow, p, A[where + r], H, J, A)
            and _add_part(narrow, r, a, H, J, A)
        )
    bits = next64(rng)
    if kind == CARRY:
        p = _kin(o, rng, H, J)
        if p < 0:
            return False
        b = open_place(narrow, o, m, rng, H, J)
        return _add_part(narrow, o, b, H, J, A) and _add_part(narrow, p, _near(b, rng, H, J), H, J, A)
    if kind == GATHER:
        b = open_place(narrow, o, m, rng, H, J)
        if bits & np.uint64(1):
            b = join_place(o, rng, H, J, A)
            if b < 0:
                return False
        row = _kin_row(o, rng, H, J)
        if row >= 0 and bits & np.uint64(6):
            at = H[AT_KIN_MEMBER_PTR] + row
            for i in range(H[AT_KIN_MEMBER] + H[at], H[AT_KIN_MEMBER] + H[at + 1]):
                if A[where + J[i]] == a and not _add_part(narrow, np.int64(J[i]), b, H, J, A):
                    return False
            return A[H[AT_PARTS]] > 1
        if first[a + 1] - first[a] > MAX_PARTS:
            return False
        spread = bits & np.uint64(8)
        for i in range(first[a], first[a + 1]):
            if A[where + members[i]] == a:
                c = below(rng, m) if spread else b
                if not _add_part(narrow, np.int64(members[i]), c, H, J, A):
                    return False
        return A[H[AT_PARTS]] > 1
    p = similar(o, n_orders, order, rank, rng, H) if n_orders > 0 else below(rng, n)
    neighbour = beside(a, first, members, rng, H, A)
    if p < 0 or neighbour < 0:
        return False
    b = np.int64(A[where + p])
    if not (_add_part(narrow, o, b, H, J, A) and _add_part(narrow, neighbour, b, H, J, A)):
        return False
    return bool(bits & np.uint64(1)) or _add_part(narrow, p, a, H, J, A)
