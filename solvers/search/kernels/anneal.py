# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"

"""A slice of annealing: propose, price, accept or not."""

from __future__ import annotations

import numpy as np

from solvers.search.jit import kernel
from solvers.search.kernels.groups import groups_allow
from solvers.search.kernels.moves import late_cost
from solvers.search.kernels.rng import below, next64
from solvers.search.kernels.sides import sides_cost
from solvers.search.layout import (
    ACCEPTED,
    BEST,
    CHAIN,
    HOME,
    ONE,
    OUTCOMES,
    PRICED,
    SHIFT,
    SIMILAR,
    THREE,
    TRIED,
    TWO,
)

__all__ = ["anneal"]

_INF = np.inf
_LOW16 = np.uint64(0xFFFF)


@kernel
def anneal(
    n_iterations, temperature, shares, focus_share, samples, everyone, focus, order, rank, may_leave,
    threshold, rng, counts, totals, record, leaving, n_containers,
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
    """Run `n_iterations` proposals at one temperature; with `record`, only price as many as it has places.

    Parameters
    ----------
    shares
        int64[MOVES]: cumulative shares of the move types, of 65536.
    focus_share
        Share of proposals that start from an object in `focus`, of 65536.
    samples
        Destinations tried by a `BEST` move.
    everyone, focus
        int32[n]: objects that may move; those worth a look first.
    order, rank
        int32[k × n_objects]: objects sorted by a weight, and each one's place there, for k weights.
    may_leave
        bool[n_objects]: whether an object may end unassigned.
    leaving
        Whether any object may.
    threshold
        float64[65536]: −log of a uniform random number.
    counts
        int64[MOVES × OUTCOMES].
    totals
        float64[2]: sum of accepted changes; largest recent fall of late costs (a positive number).
    record
        float64[n]: filled with the change of cost by each proposal, inf if forbidden. Empty: make them.
    """
    n_orders = order.size // max(1, n_objects)
    n_places = n_containers + (1 if leaving else 0)
    has_late = groups.size > 0 or nodes.size > 0
    making = record.size == 0
    record[:] = _INF
    for step in range(n_iterations if making else record.size):
        bits = next64(rng)
        limit = temperature * threshold[np.int64(bits & _LOW16)] if making else _INF
        kind_draw = np.int64((bits >> np.uint64(16)) & _LOW16)
        focused = np.int64((bits >> np.uint64(32)) & _LOW16) < focus_share
        o = np.int64(focus[below(rng, focus.size)] if focused else everyone[below(rng, everyone.size)])
        a = np.int64(assignment[o])
        kind = 0
        while kind_draw >= shares[kind]:
            kind += 1
        shape, b, p, c = ONE, np.int64(-1), np.int64(n_objects), np.int64(-1)
        if kind == SHIFT:
            b = below(rng, n_places)
        elif kind == HOME:
            b = np.int64(initial[o])
        elif kind == BEST:
            best = _INF
            best_b = np.int64(-1)
            for _k in range(samples):
                b = below(rng, n_places)
                if b == a or (b == n_containers and not may_leave[o]):
                    continue
                if groups.size and not free and not groups_allow(
                    o, a, b, 1, groups, group_count, item_of, row_ptr, row_of, member_ptr, member, assignment,
                    group_limit, allow_key, allow_count,
                ):  # fmt: skip
                    continue
                counts[kind * OUTCOMES + TRIED] += 1
                found = sides_cost(
                    ONE, o, a, b, p, c, min(best, limit + totals[1]), n_objects, free, xs, pending_at,
                    pending, blocks, X, W,
                    home_w, item_of, home, upper, lower, penalty, terms, params, knots, cost, dynamic,
                    dyn_row, dyn_base,
                    dyn_table, linear, lin_w, lin_gamma, move_w, initial,
                )  # fmt: skip
                if found < best:
                    best, best_b = found, b
            b = best_b
        else:
            shape = THREE if kind == CHAIN else TWO
            if (kind == SIMILAR or (kind == CHAIN and bits & np.uint64(1 << 48))) and n_orders > 0:
                r = below(rng, n_orders) * n_objects
                radius = n_objects >> (1 + below(rng, 16))
                place = np.int64(rank[r + o]) + below(rng, 2 * radius + 3) - radius - 1
                if place < 0 or place >= n_objects:
                    continue
                p = np.int64(order[r + place])
            else:
                p = np.int64(everyone[below(rng, everyone.size)])
            if p == o:
                continue
            b = np.int64(assignment[p])
            c = a
            if kind == CHAIN:
                c = np.int64(initial[p])
                if c == b or bits & np.uint64(1 << 49):
                    c = below(rng, n_containers)
                if c == a:
                    shape = TWO
            if c == b or (c == n_containers and not may_leave[p]):
                continue
        if b < 0 or b == a or (b == n_containers and not may_leave[o]):
            continue
        early_limit = limit + totals[1] if has_late else limit
        counts[kind * OUTCOMES + TRIED] += 1
        delta = sides_cost(
            shape, o, a, b, p, c, early_limit, n_objects, free, xs, pending_at, pending, blocks, X, W,
            home_w, item_of, home, upper, lower, penalty, terms, params, knots, cost, dynamic, dyn_row,
            dyn_base,
            dyn_table, linear, lin_w, lin_gamma, move_w, initial,
        )  # fmt: skip
        if delta == _INF:
            continue
        counts[kind * OUTCOMES + PRICED] += 1
        if has_late:
            early = delta
            if shape == ONE and groups.size and not free and not groups_allow(
                o, a, b, 1, groups, group_count, item_of, row_ptr, row_of, member_ptr, member, assignment,
                group_limit, allow_key, allow_count,
            ):  # fmt: skip
                continue
        delta = late_cost(
            shape, o, a, b, p, c, delta, limit, making,
            n_objects, free, assignment, xs, pending_at, pending,
            blocks, X, W, home_w, item_of, home, upper, lower, penalty, terms, params, knots, cost,
            dynamic, dyn_row, dyn_base, dyn_table,
            linear, lin_w, lin_gamma, move_w, initial,
            groups, group_count, row_ptr, row_of, member_ptr, member,
            group_limit, group_penalty, group_term, group_param, allow_key, allow_count,
            leaves, nodes, value, old, touched, mark, n_touched, pointers, targets, leaf_w, pairs,
            pair_rate, distance,
            children, parents, pool, goal_w, allowance, node_penalty,
        )  # fmt: skip
        if not making:
            record[step] = delta
            continue
        if has_late and delta < _INF:
            fall = early - delta
            totals[1] = fall if fall > totals[1] else totals[1] * 0.9999
        if delta <= limit:
            totals[0] += delta
            counts[kind * OUTCOMES + ACCEPTED] += 1
