# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"
# ruff: noqa: SIM110 - arguments come in one common order; loops are what gets compiled
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
    N_OFFSET,
    N_PARENT,
    N_PARENT_END,
    N_SIZE,
    NEW,
    NODE,
    ONTO_ALL,
    ONTO_COLUMNS,
    ONTO_MAP,
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
def _touch(n, offset, e, value, old, touched, mark, n_touched):
    at = offset + e
    if mark[at] == _CLEAN:
        mark[at] = _TOUCHED
        old[at] = value[at]
        touched[offset + n_touched[n]] = e
        n_touched[n] += 1
    return at


@inlined
def _in_row(s, row, pointers, targets, base):
    """Whether `s` is among the targets of a row."""
    for i in range(pointers[base + row], pointers[base + row + 1]):
        if targets[i] == s:
            return True
    return False


@kernel
def leaf_shift(
    o, a, b, n_objects, initial, assignment, leaves, nodes, value, old, touched, mark, n_touched,
    pointers, targets, leaf_w, pairs, pair_rate, distance, dynamic, dyn_row, dyn_base, dyn_table,
):  # fmt: skip
    """Take `o` off container `a` and put it on `b` in all leaves and in `assignment`."""
    assignment[o] = b
    for f in range(0, leaves.size, LEAF):
        n = leaves[f + F_NODE]
        offset = nodes[n * NODE + N_OFFSET]
        kind = leaves[f + F_TYPE]
        if kind == LEAF_PAIR:
            width = leaves[f + F_ITEMS] + 1
            io = leaves[f + F_ITEM_OF]
            sa, sb = targets[io + a], targets[io + b]
            if sa == sb:
                continue
            delta = 0.0
            d = leaves[f + F_DISTANCE]
            base = leaves[f + F_PAIRS]
            for i in range(pointers[base + o], pointers[base + o + 1]):
                other = pairs[2 * i]  # -1: a pair of `o` with itself
                if other < 0:
                    delta += pair_rate[i] * (distance[d + sb * width + sb] - distance[d + sa * width + sa])
                    continue
                so = targets[io + assignment[other]]
                if pairs[2 * i + 1] == 0:  # `o` is the first of the two
                    delta += pair_rate[i] * (distance[d + sb * width + so] - distance[d + sa * width + so])
                else:
                    delta += pair_rate[i] * (distance[d + so * width + sb] - distance[d + so * width + sa])
            if delta != 0.0:
                value[_touch(n, offset, 0, value, old, touched, mark, n_touched)] += delta
            continue
        scope = leaves[f + F_SCOPE]
        counted = leaves[f + F_COUNTED]
        width = leaves[f + F_COMPONENTS]
        items = leaves[f + F_ITEMS]
        w0 = leaves[f + F_WEIGHT]
        for turn in range(2):
            here, there, sign = (a, b, -1.0) if turn == 0 else (b, a, 1.0)
            for i in range(pointers[scope + here], pointers[scope + here + 1]):
                s = targets[i]
                if _in_row(s, there, pointers, targets, scope):
                    continue  # on this item before and after
                at_home = _in_row(s, initial[o], pointers, targets, scope)
                if (counted == NEW and at_home) or (counted == STAYED and not at_home):
                    continue
                for j in range(width):
                    if w0 >= 0:
                        w = leaf_w[w0 + o * width + j]
                    else:
                        w = dynamic_weight(
                            leaves[f + F_DYNAMIC],
                            o,
                            s,
                            True,
                            n_objects,
                            dynamic,
                            dyn_row,
                            dyn_base,
                            dyn_table,
                        )
                    if w == 0.0:
                        continue
                    if kind in (LEAF_GROUP, LEAF_ROWS):
                        base = leaves[f + F_PARTITION]
                        for k in range(pointers[base + o], pointers[base + o + 1]):
                            e = targets[k] * items + s if kind == LEAF_GROUP else targets[k]
                            value[_touch(n, offset, e, value, old, touched, mark, n_touched)] += sign * w
                    else:
                        at = _touch(n, offset, s * width + j, value, old, touched, mark, n_touched)
                        value[at] += sign * w


@inlined
def _coefficient(c, e, children, pool):
    columns = children[c + C_COLUMNS]
    return pool[
        children[c + C_COEFFICIENT]
        + (e // columns) * children[c + C_ROW]
        + (e % columns) * children[c + C_COLUMN]
    ]


@kernel
def _elementwise(m, e, nodes, children, pool, value, knots):
    """Value of element `e` of the node at `m` from its children's elements."""
    kind = nodes[m + N_KIND]
    first, end = nodes[m + N_CHILD], nodes[m + N_CHILD_END]
    if kind == K_AFFINE:
        total = _coefficient(nodes[m + N_CONSTANT] * CHILD, e, children, pool)
        for i in range(first, end):
            c = i * CHILD
            x = value[nodes[children[c + C_NODE] * NODE + N_OFFSET] + e]
            total += _coefficient(c, e, children, pool) * x
        return total
    x = value[nodes[children[first * CHILD + C_NODE] * NODE + N_OFFSET] + e]
    if kind in (K_MAXIMUM, K_MINIMUM, K_PRODUCT):
        for i in range(first + 1, end):
            y = value[nodes[children[i * CHILD + C_NODE] * NODE + N_OFFSET] + e]
            if kind == K_PRODUCT:
                x *= y
            elif kind == K_MAXIMUM:
                x = max(x, y)
            else:
                x = min(x, y)
        return x
    return function(kind, x, knots, nodes[m + N_KNOTS])


@kernel
def _reduced(m, e, nodes, children, value, pointers, targets):
    """Peak, k-th largest or sum of the k largest of all sources of target `e`, from scratch."""
    source = children[nodes[m + N_CHILD] * CHILD + C_NODE] * NODE
    offset, size = nodes[source + N_OFFSET], nodes[source + N_SIZE]
    members, columns = nodes[m + N_MEMBERS], nodes[m + N_COLUMNS]
    start, step, count, listed = offset, 1, size, False
    if members == -2:
        start, count = offset + e * columns, columns
    elif members == -3:
        start, step, count = offset + e, columns, size // columns
    elif members >= 0:
        start, listed = pointers[members + e], True
        count = pointers[members + e + 1] - start
    kind = nodes[m + N_KIND]
    if kind == K_PEAK:
        if count == 0:
            return 0.0
        best = -np.inf
        for i in range(count):
            best = max(best, value[offset + targets[start + i]] if listed else value[start + i * step])
        return best
    # k rounds, each takes the largest value left and how often it occurs
    k = nodes[m + N_K]
    taken = 0
    last = np.inf
    total = 0.0
    while taken < k and taken < count:
        best, times = -np.inf, 0
        for i in range(count):
            x = value[offset + targets[start + i]] if listed else value[start + i * step]
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


@kernel
def propagate(
    nodes, children, parents, pool, value, old, touched, mark, n_touched,
    knots, goal_w, allowance, node_penalty, pointers, targets, free,
):  # fmt: skip
    """Carry touched elements upwards; returns the change of cost, inf where a limit gets broken further."""
    delta = 0.0
    for n in range(n_touched.size):
        if n_touched[n] == 0:
            continue
        m = n * NODE
        kind, offset = nodes[m + N_KIND], nodes[m + N_OFFSET]
        goal, limit = nodes[m + N_GOAL], nodes[m + N_LIMIT]
        for i in range(n_touched[n]):
            e = touched[offset + i]
            at = offset + e
            if kind in (K_PEAK, K_KTH, K_LARGEST):
                if mark[at] == _RESCAN:
                    value[at] = _reduced(m, e, nodes, children, value, pointers, targets)
            elif kind not in (K_LEAF, K_TOTAL):
                value[at] = _elementwise(m, e, nodes, children, pool, value, knots)
            new, before = value[at], old[at]
            if new == before:
                continue
            if goal >= 0:
                delta += goal_w[goal + e] * (new - before)
            if limit >= 0 and (new > allowance[limit + e] or before > allowance[limit + e]):
                top = allowance[limit + e]
                if new > top and new > before and not free:
                    return np.inf
                delta += node_penalty[limit + e] * (max(0.0, new - top) - max(0.0, before - top))
            for r in range(nodes[m + N_PARENT] * PARENT, nodes[m + N_PARENT_END] * PARENT, PARENT):
                p = parents[r + P_NODE]
                onto = parents[r + P_ONTO]
                t = e
                if onto != ONTO_SAME:
                    if onto == ONTO_ALL:
                        t = 0
                    elif onto == ONTO_ROWS:
                        t = e // parents[r + P_COLUMNS]
                    elif onto == ONTO_COLUMNS:
                        t = e % parents[r + P_COLUMNS]
                    elif onto == ONTO_MAP:
                        t = targets[parents[r + P_MAP] + e]
                        if t < 0:
                            continue
                up = _touch(p, nodes[p * NODE + N_OFFSET], t, value, old, touched, mark, n_touched)
                above = nodes[p * NODE + N_KIND]
                if above == K_TOTAL:
                    value[up] += new - before
                elif above == K_PEAK:
                    if new >= value[up]:
                        value[up] = new
                    elif before >= value[up]:
                        mark[up] = _RESCAN
                elif above in (K_KTH, K_LARGEST):
                    mark[up] = _RESCAN
    return delta


@kernel
def settle(nodes, value, old, touched, mark, n_touched, keep):
    """Keep the propagated values, or take back everything since the last call (but not `assignment`)."""
    for n in range(n_touched.size):
        offset = nodes[n * NODE + N_OFFSET]
        for i in range(n_touched[n]):
            at = offset + touched[offset + i]
            mark[at] = _CLEAN
            if not keep:
                value[at] = old[at]
        n_touched[n] = 0
