# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"
# ruff: noqa: SIM110 - `solvers.search.layout` names the arrays; loops are what gets compiled
"""Everything the usage columns and group counts do not cover: one value per element, changes flow upwards.

A move is applied to the leaves, `propagate` carries it to the roots and prices it, and then it is either kept
or taken back by `settle`. Touched elements and their old values are listed per node.
"""

from __future__ import annotations

import numpy as np

from solvers.search.jit import inlined, kernel
from solvers.search.kernels.functions import function
from solvers.search.kernels.sides import dynamic_weight
from solvers.search.layout import (
    AFTER,
    AT_ALLOWANCE,
    AT_ASSIGNMENT,
    AT_CHILDREN,
    AT_DISTANCE,
    AT_GOAL_W,
    AT_INITIAL,
    AT_KNOTS,
    AT_LEAF_W,
    AT_LEAVES,
    AT_MARK,
    AT_N_TOUCHED,
    AT_NODE_PENALTY,
    AT_NODES,
    AT_OLD,
    AT_PAIR_RATE,
    AT_PAIRS,
    AT_PARENTS,
    AT_POINTERS,
    AT_POOL,
    AT_TARGETS,
    AT_TOUCHED,
    AT_VALUE,
    C_COEFFICIENT,
    C_COLUMN,
    C_COLUMNS,
    C_NODE,
    C_ROW,
    CHILD,
    F_COMPONENTS,
    F_COUNTED,
    F_DISTANCE,
    F_DYNAMIC,
    F_ITEM_OF,
    F_ITEMS,
    F_NODE,
    F_PAIRS,
    F_PARTITION,
    F_SCOPE,
    F_TYPE,
    F_WEIGHT,
    FREE_NODES,
    K_AFFINE,
    K_KTH,
    K_LARGEST,
    K_LEAF,
    K_MAXIMUM,
    K_MINIMUM,
    K_PEAK,
    K_PRODUCT,
    K_TOTAL,
    LEAF,
    LEAF_GROUP,
    LEAF_PAIR,
    LEAF_ROWS,
    N_CHILD,
    N_CHILD_END,
    N_COLUMNS,
    N_CONSTANT,
    N_GOAL,
    N_K,
    N_KIND,
    N_KNOTS,
    N_LIMIT,
    N_MEMBERS,
    N_NODES,
    N_OFFSET,
    N_PARENT,
    N_PARENT_END,
    N_SIZE,
    NEW,
    NODE,
    ONTO_ALL,
    ONTO_COLUMNS,
    ONTO_ROWS,
    ONTO_SAME,
    P_COLUMNS,
    P_MAP,
    P_NODE,
    P_ONTO,
    PARENT,
    STAYED,
)

__all__ = ["leaf_shift", "propagate", "settle"]

_CLEAN, _TOUCHED, _RESCAN = 0, 1, 2


@inlined
def _touch(n, offset, e, H, A, V):
    """Where in V the value of element `e` of node `n` is; remembers what it was."""
    at = offset + e
    mark = H[AT_MARK] + at
    if A[mark] == _CLEAN:
        A[mark] = _TOUCHED
        V[H[AT_OLD] + at] = V[H[AT_VALUE] + at]
        count = H[AT_N_TOUCHED] + n
        A[H[AT_TOUCHED] + offset + A[count]] = e
        A[count] += 1
    return H[AT_VALUE] + at


@inlined
def _in_row(s, row, base, H, J):
    """Whether `s` is among the targets of a row."""
    at = H[AT_POINTERS] + base + row
    for i in range(H[AT_TARGETS] + H[at], H[AT_TARGETS] + H[at + 1]):
        if J[i] == s:
            return True
    return False


@inlined
def _pair_shift(f, o, sa, sb, H, J, F, A):
    """Change of the pair costs of leaf `f` when `o` goes from item `sa` to `sb`."""
    width = H[f + F_ITEMS] + 1
    items = H[AT_TARGETS] + H[f + F_ITEM_OF]
    d = H[AT_DISTANCE] + H[f + F_DISTANCE]
    at = H[AT_POINTERS] + H[f + F_PAIRS] + o
    delta = 0.0
    for i in range(H[at], H[at + 1]):
        rate = F[H[AT_PAIR_RATE] + i]
        other = J[H[AT_PAIRS] + 2 * i]  # -1: a pair of `o` with itself
        if other < 0:
            delta += rate * (F[d + sb * width + sb] - F[d + sa * width + sa])
            continue
        so = np.int64(J[items + A[H[AT_ASSIGNMENT] + other]])
        if J[H[AT_PAIRS] + 2 * i + 1] == 0:  # `o` is the first of the two
            delta += rate * (F[d + sb * width + so] - F[d + sa * width + so])
        else:
            delta += rate * (F[d + so * width + sb] - F[d + so * width + sa])
    return delta


@kernel
def leaf_shift(o, a, b, H, J, F, A, V):
    """Take `o` off container `a` and put it on `b` in all leaves and in the assignment."""
    A[H[AT_ASSIGNMENT] + o] = b
    home = np.int64(J[H[AT_INITIAL] + o])
    for f in range(H[AT_LEAVES], H[AT_LEAVES + 1], LEAF):
        n = H[f + F_NODE]
        offset = H[H[AT_NODES] + n * NODE + N_OFFSET]
        kind = H[f + F_TYPE]
        if kind == LEAF_PAIR:
            places = H[AT_TARGETS] + H[f + F_ITEM_OF]
            sa, sb = np.int64(J[places + a]), np.int64(J[places + b])
            if sa != sb:
                delta = _pair_shift(f, o, sa, sb, H, J, F, A)
                if delta != 0.0:
                    V[_touch(n, offset, 0, H, A, V)] += delta
            continue
        scope, counted = H[f + F_SCOPE], H[f + F_COUNTED]
        width, items, w0 = H[f + F_COMPONENTS], H[f + F_ITEMS], H[f + F_WEIGHT]
        groups = H[AT_POINTERS] + H[f + F_PARTITION] + o
        for turn in range(2):
            here, there, sign = (a, b, -1.0) if turn == 0 else (b, a, 1.0)
            at = H[AT_POINTERS] + scope + here
            for i in range(H[AT_TARGETS] + H[at], H[AT_TARGETS] + H[at + 1]):
                s = np.int64(J[i])
                if _in_row(s, there, scope, H, J):
                    continue  # on this item before and after
                at_home = counted != AFTER and _in_row(s, home, scope, H, J)
                if (counted == NEW and at_home) or (counted == STAYED and not at_home):
                    continue
                for j in range(width):
                    if w0 >= 0:
                        w = F[H[AT_LEAF_W] + w0 + o * width + j]
                    else:
                        w = dynamic_weight(H[f + F_DYNAMIC], o, s, True, H, J, F)
                    if w == 0.0:
                        continue
                    if kind in (LEAF_GROUP, LEAF_ROWS):
                        for k in range(H[AT_TARGETS] + H[groups], H[AT_TARGETS] + H[groups + 1]):
                            e = J[k] * items + s if kind == LEAF_GROUP else np.int64(J[k])
                            V[_touch(n, offset, e, H, A, V)] += sign * w
                    else:
                        V[_touch(n, offset, s * width + j, H, A, V)] += sign * w


@inlined
def _coefficient(c, e, H, F):
    columns = H[c + C_COLUMNS]
    return F[
        H[AT_POOL] + H[c + C_COEFFICIENT] + (e // columns) * H[c + C_ROW] + (e % columns) * H[c + C_COLUMN]
    ]


@inlined
def _child_value(c, e, H, V):
    """Value of element `e` of the child of the record at `c`."""
    return V[H[AT_VALUE] + H[H[AT_NODES] + H[c + C_NODE] * NODE + N_OFFSET] + e]


@kernel
def _elementwise(m, e, H, F, V):
    """Value of element `e` of the node at `m` from its children's elements."""
    kind = H[m + N_KIND]
    first, end = H[AT_CHILDREN] + H[m + N_CHILD] * CHILD, H[AT_CHILDREN] + H[m + N_CHILD_END] * CHILD
    if kind == K_AFFINE:
        total = _coefficient(H[AT_CHILDREN] + H[m + N_CONSTANT] * CHILD, e, H, F)
        for c in range(first, end, CHILD):
            total += _coefficient(c, e, H, F) * _child_value(c, e, H, V)
        return total
    x = _child_value(first, e, H, V)
    if kind in (K_MAXIMUM, K_MINIMUM, K_PRODUCT):
        for c in range(first + CHILD, end, CHILD):
            y = _child_value(c, e, H, V)
            if kind == K_PRODUCT:
                x *= y
            elif kind == K_MAXIMUM:
                x = max(x, y)
            else:
                x = min(x, y)
        return x
    return function(kind, x, F, H[AT_KNOTS] + H[m + N_KNOTS])


@kernel
def _reduced(m, e, most, H, J, V):
    """Peak, k-th largest or sum of the k largest of all sources of target `e`, from scratch.

    `most`: no source is larger than this, so a peak that reaches it is found.
    """
    source = H[AT_NODES] + H[H[AT_CHILDREN] + H[m + N_CHILD] * CHILD + C_NODE] * NODE
    offset, size = H[AT_VALUE] + H[source + N_OFFSET], H[source + N_SIZE]
    members, columns = H[m + N_MEMBERS], H[m + N_COLUMNS]
    start, step, count, listed = offset, 1, size, False
    if members == -2:
        start, count = offset + e * columns, columns
    elif members == -3:
        start, step, count = offset + e, columns, size // columns
    elif members >= 0:
        at = H[AT_POINTERS] + members + e
        start, listed = H[AT_TARGETS] + H[at], True
        count = H[at + 1] - H[at]
    kind = H[m + N_KIND]
    if kind == K_PEAK:
        if count == 0:
            return 0.0
        best = -np.inf
        for i in range(count):
            best = max(best, V[offset + J[start + i]] if listed else V[start + i * step])
            if best >= most:
                break
        return best
    # k rounds, each takes the largest value left and how often it occurs
    k = H[m + N_K]
    taken = 0
    last = np.inf
    total = 0.0
    while taken < k and taken < count:
        best, times = -np.inf, 0
        for i in range(count):
            x = V[offset + J[start + i]] if listed else V[start + i * step]
            if x < last:
                if x > best:
                    best, times = x, 1
                elif x == best:
                    times += 1
        if times == 0:
            break
        total += best * min(times, k - taken)
        taken += times
        last = best
    if kind == K_KTH:
        return last if count >= k else 0.0
    return total


@inlined
def _target(r, e, H, J):
    """Element of the parent of record `r` that element `e` counts for, -1 for none."""
    onto = H[r + P_ONTO]
    if onto == ONTO_SAME:
        return e
    if onto == ONTO_ALL:
        return np.int64(0)
    if onto == ONTO_ROWS:
        return e // H[r + P_COLUMNS]
    if onto == ONTO_COLUMNS:
        return e % H[r + P_COLUMNS]
    return np.int64(J[H[AT_TARGETS] + H[r + P_MAP] + e])


@kernel
def propagate(mode, H, J, F, G, A, V):
    """Carry touched elements upwards; returns the change of cost, inf where a limit gets broken further."""
    delta = 0.0
    values, olds, marks = H[AT_VALUE], H[AT_OLD], H[AT_MARK]
    for n in range(H[N_NODES]):
        count = A[H[AT_N_TOUCHED] + n]
        if count == 0:
            continue
        m = H[AT_NODES] + n * NODE
        kind, offset = H[m + N_KIND], H[m + N_OFFSET]
        goal, limit = H[m + N_GOAL], H[m + N_LIMIT]
        for i in range(count):
            e = np.int64(A[H[AT_TOUCHED] + offset + i])
            at = values + offset + e
            before = V[olds + offset + e]
            if kind in (K_PEAK, K_KTH, K_LARGEST):
                if A[marks + offset + e] == _RESCAN:
                    V[at] = _reduced(m, e, max(before, V[at]), H, J, V)
            elif kind not in (K_LEAF, K_TOTAL):
                V[at] = _elementwise(m, e, H, F, V)
            new = V[at]
            if new == before:
                continue
            if goal >= 0:
                delta += G[H[AT_GOAL_W] + goal + e] * (new - before)
            if limit >= 0:
                top = F[H[AT_ALLOWANCE] + limit + e]
                if new > top or before > top:
                    if new > top and new > before and not mode & FREE_NODES:
                        return np.inf
                    price = G[H[AT_NODE_PENALTY] + limit + e]
                    delta += price * (max(0.0, new - top) - max(0.0, before - top))
            first, end = (
                H[AT_PARENTS] + H[m + N_PARENT] * PARENT,
                H[AT_PARENTS] + H[m + N_PARENT_END] * PARENT,
            )
            for r in range(first, end, PARENT):
                t = _target(r, e, H, J)
                if t < 0:
                    continue
                p = H[r + P_NODE]
                record = H[AT_NODES] + p * NODE
                up = _touch(p, H[record + N_OFFSET], t, H, A, V)
                above = H[record + N_KIND]
                if above == K_TOTAL:
                    V[up] += new - before
                elif above == K_PEAK:
                    if new >= V[up]:
                        V[up] = new
                    elif before >= V[up]:
                        A[marks + H[record + N_OFFSET] + t] = _RESCAN
                elif above in (K_KTH, K_LARGEST):
                    A[marks + H[record + N_OFFSET] + t] = _RESCAN
    return delta


@kernel
def settle(H, A, V, keep):
    """Keep the propagated values, or take back everything since the last call (but not the assignment)."""
    for n in range(H[N_NODES]):
        count = H[AT_N_TOUCHED] + n
        if A[count] == 0:
            continue
        offset = H[H[AT_NODES] + n * NODE + N_OFFSET]
        for i in range(A[count]):
            at = offset + A[H[AT_TOUCHED] + offset + i]
            A[H[AT_MARK] + at] = _CLEAN
            if not keep:
                V[H[AT_VALUE] + at] = V[H[AT_OLD] + at]
        A[count] = 0
