# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"


"""A slice of annealing: propose, price, accept or not."""

from __future__ import annotations

import math

import numpy as np

from solvers.search.jit import inlined, kernel
from solvers.search.kernels.columns import parts_cost, sides_cost
from solvers.search.kernels.groups import groups_allow
from solvers.search.kernels.moves import late_cost, write_parts
from solvers.search.kernels.prefetch import prefetch
from solvers.search.kernels.proposals import beside, closed, join_place, open_place, propose_parts, similar
from solvers.search.kernels.rebuild import list_members
from solvers.search.kernels.rng import below, next64
from solvers.search.kernels.room import make_room
from solvers.search.layout import (
    ACCEPTED,
    AT_ASSIGNMENT,
    AT_BLOCKS,
    AT_GROUPS,
    AT_HOME,
    AT_INITIAL,
    AT_MAY_LEAVE,
    AT_MOVE_W,
    AT_NODES,
    AT_OPEN_BITS,
    AT_PARTS,
    AT_W,
    B_COLUMNS,
    B_HOME,
    B_W,
    BATCH,
    BEST,
    BLOCK,
    CACHED,
    CHAIN,
    CYCLE,
    FREE_COLUMNS,
    FREE_GROUPS,
    HOME,
    INTACT,
    JOIN,
    LIST_EVERY,
    MANY,
    N_CONTAINERS,
    N_OBJECTS,
    ONE,
    OUTCOMES,
    PRICED,
    RETURN,
    ROOM,
    ROOM_WORK,
    SHIFT,
    SIMILAR,
    SWAP,
    THREE,
    THRESHOLD_BITS,
    TRIED,
    TWO,
)

__all__ = ["anneal"]

_INF = np.inf
_LOW16, _S32 = np.uint64(0xFFFF), np.uint64(32)
_LOG2 = math.log(2.0)


@inlined
def _exponential(bits, table):
    """Minus the logarithm of a uniform random number: ``u = 2^e · m``, and ``−log m`` from a small table."""
    raw = np.float64(np.int64(bits >> np.uint64(11)) | 1).view(np.int64)
    exponent = (raw >> 52) - 1023 - 53
    return -_LOG2 * exponent + table[(raw >> (52 - THRESHOLD_BITS)) & ((1 << THRESHOLD_BITS) - 1)]


@inlined
def _draw(kind, step, focus_share, focus, n_orders, order, rank, rng, batch, H, J, F, G, A):
    """Fill `batch` with the objects of the next proposals, all of one kind: who moves, and with whom.

    Their memory is asked for at once: one after the other, waiting for it would take longer than all else.
    """
    n_objects, where, initial = np.uint64(H[N_OBJECTS]), H[AT_ASSIGNMENT], H[AT_INITIAL]
    far = F.size > CACHED
    for i in range(BATCH):
        bits = next64(rng)
        if focus_share > 65536:
            o = np.int64(focus[(step + i) % focus.size])
        elif np.int64(bits & _LOW16) < focus_share:
            o = np.int64(focus[((bits >> _S32) * np.uint64(focus.size)) >> _S32])
        else:
            o = np.int64(((bits >> _S32) * n_objects) >> _S32)
        p = np.int64(-1)
        if n_orders > 0 and (kind == SIMILAR or (kind == CHAIN and bits & np.uint64(1 << 16))):
            p = similar(o, n_orders, order, rank, rng, H)
        elif kind in (SWAP, SIMILAR, CHAIN):
            p = below(rng, H[N_OBJECTS])
        batch[2 * i], batch[2 * i + 1] = o, p
        for turn in range((2 if p >= 0 else 1) if far else 0):
            who = o if turn == 0 else p
            prefetch(A, where + who)
            prefetch(J, initial + who)
            prefetch(G, H[AT_MOVE_W] + who)
            for q in range(H[AT_BLOCKS], H[AT_BLOCKS + 1], BLOCK):
                prefetch(F, H[AT_W] + H[q + B_W] + who * H[q + B_COLUMNS])
                prefetch(J, H[AT_HOME] + H[q + B_HOME] + who)


@inlined
def _more_away(H, J, A):
    """By how many more objects are away from where they started after the listed parts moved."""
    at, away = H[AT_PARTS], np.int64(0)
    for i in range(at + 1, at + 1 + 3 * A[at], 3):
        first = J[H[AT_INITIAL] + A[i]]
        away += np.int64(A[i + 2] != first) - np.int64(A[i + 1] != first)
    return away


@kernel
def anneal(
    n_iterations, temperature, pull, mode, shares, focus_share, samples, focus, order, rank, first, members,
    leaving, threshold, rng, batch, counts, totals, record, H, J, F, G, A, V, C,
):  # fmt: skip
    """Run `n_iterations` proposals at one temperature; with `record`, only price as many as it has places.

    Parameters
    ----------
    pull
        What one more object away from where it started adds to the change of cost when it is judged.
    mode
        What may be broken at a price: bits of `solvers.search.layout`.
    shares
        int64[MOVES]: cumulative shares of the move types, of 65536.
    focus_share, focus
        Share of proposals that start from an object in `focus` (int32[n]), of 65536; above it all do, in
        their order.
    samples
        Destinations tried by a `BEST` move.
    order, rank
        int32[k × n_objects]: objects sorted by a weight, and each one's place there, for k weights.
    first, members
        int64[n_containers + 2], int32[n_objects]: who was where lately.
    leaving
        Whether any object may be unassigned.
    threshold
        float64[2^THRESHOLD_BITS]: −log of mantissas.
    batch
        int64[2 × BATCH], scratch: the objects of the next proposals.
    counts
        int64[MOVES × OUTCOMES].
    totals
        float64[2]: sum of accepted changes; largest recent fall of late costs (a positive number).
    record
        float64[n]: filled with the change of cost by each proposal, inf if forbidden. Empty: make them.
    """
    n_objects, n_containers = H[N_OBJECTS], H[N_CONTAINERS]
    where, initial, may_leave = H[AT_ASSIGNMENT], H[AT_INITIAL], H[AT_MAY_LEAVE]
    n_orders = order.size // n_objects
    n_places = n_containers + (1 if leaving else 0)
    has_groups = H[AT_GROUPS] < H[AT_GROUPS + 1]
    has_late = has_groups or H[AT_NODES] < H[AT_NODES + 1]
    making = record.size == 0
    narrow = bool(mode & INTACT) and not mode & FREE_COLUMNS and H[AT_OPEN_BITS] < H[AT_OPEN_BITS + 1]
    relist = LIST_EVERY * n_objects
    record[:] = _INF
    kind = 0
    for step in range(n_iterations if making else record.size):
        slot = step % BATCH
        if slot == 0:
            relist -= BATCH
            if relist < 0:
                list_members(first, members, H, A)
                relist = LIST_EVERY * n_objects
            kind_draw = np.int64(next64(rng) & _LOW16)
            kind = 0
            while kind_draw >= shares[kind]:
                kind += 1
            _draw(kind, step, focus_share, focus, n_orders, order, rank, rng, batch, H, J, F, G, A)
        bits = next64(rng)
        limit = temperature * _exponential(bits, threshold) if making else _INF
        o = batch[2 * slot]
        a = np.int64(A[where + o])
        if kind >= CYCLE:
            counts[kind * OUTCOMES + TRIED] += 1
            if kind == ROOM:
                leave = make_room(narrow, o, mode, first, members, rng, H, J, F, G, A, V, C)
                if leave != 0:
                    counts[kind * OUTCOMES + TRIED] += ROOM_WORK
                if leave <= 0:
                    continue
            elif not propose_parts(kind, narrow, o, n_orders, order, rank, first, members, rng, H, J, A):
                continue
            if pull != 0.0:
                limit -= pull * _more_away(H, J, A)
            early = parts_cost(limit + totals[1] if has_late else limit, mode, H, J, F, G, A, V)
            if early == _INF:
                continue
            shape = MANY
        else:
            shape, b, p, c = ONE, np.int64(-1), n_objects, np.int64(-1)
            if kind == SHIFT:
                b = open_place(narrow, o, n_places, rng, H, J)
            elif kind == HOME:
                b = np.int64(J[initial + o])
            elif kind == JOIN:
                b = join_place(o, rng, H, J, A)
            elif kind == RETURN:
                b = np.int64(J[initial + o])
                if b == a:
                    continue
                p = beside(b, first, members, rng, H, A)
                if p < 0:
                    continue
                shape, c = TWO, a
                if bits & np.uint64(1 << 48) and J[initial + p] != a:
                    shape, c = THREE, np.int64(J[initial + p])
                if c == b or (c == n_containers and J[may_leave + p] == 0):
                    continue
            elif kind != BEST:
                shape = THREE if kind == CHAIN else TWO
                p = batch[2 * slot + 1]
                if narrow and kind == SWAP:
                    b = open_place(narrow, o, n_containers, rng, H, J)
                    p = beside(b, first, members, rng, H, A)
                if p < 0 or p == o:
                    continue
                b = np.int64(A[where + p])
                c = a
                if kind == CHAIN:
                    c = np.int64(J[initial + p])
                    if c == b or bits & np.uint64(1 << 49):
                        c = open_place(narrow, p, n_containers, rng, H, J)
                    if c == a:
                        shape = TWO
                if c == b or (c == n_containers and J[may_leave + p] == 0):
                    continue
            if shape != ONE and closed(narrow, p, c, H, J):
                continue
            best, best_b = _INF, np.int64(-1)
            attempts = samples + 1 if kind == BEST and making else 1
            early = _INF
            for attempt in range(attempts):
                early = _INF
                trying = attempt + 1 < attempts
                if kind == BEST:
                    b = open_place(narrow, o, n_places, rng, H, J) if trying or not making else best_b
                if b < 0 or b == a or (b == n_containers and J[may_leave + o] == 0):
                    continue
                if closed(narrow, o, b, H, J):
                    continue
                if pull != 0.0 and not trying:
                    home_o, home_p = J[initial + o], J[initial + p]
                    away = np.int64(b != home_o) - np.int64(a != home_o)
                    if shape != ONE:
                        away += np.int64(c != home_p) - np.int64(b != home_p)
                    limit -= pull * away
                most = limit + totals[1] if has_late else limit
                counts[kind * OUTCOMES + TRIED] += 1
                early = sides_cost(
                    shape, o, a, b, p, c, min(best, most) if trying else most, mode, H, J, F, G, A, V
                )
                if trying and early < best:
                    if has_groups and not mode & FREE_GROUPS and not groups_allow(o, a, b, 1, H, J, A, C):
                        continue
                    best, best_b = early, b
            if early == _INF:
                continue
            write_parts(shape, o, a, b, p, c, H, A)
        counts[kind * OUTCOMES + PRICED] += 1
        delta = late_cost(early, limit, mode, making, shape == MANY, H, J, F, G, A, V, C)
        if not making:
            record[step] = delta
            continue
        if has_late and delta < _INF:
            fall = early - delta
            totals[1] = fall if fall > totals[1] else totals[1] * 0.9999
        if delta <= limit:
            totals[0] += delta
            counts[kind * OUTCOMES + ACCEPTED] += 1
