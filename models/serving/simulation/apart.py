"""The loop of prefill and decode workers that serve one closed loop of clients, compiled. Times are ms.

A step of a prefill worker holds as many prompts as its budget, or parts of them, each rank those of its own;
it lasts as long as the busiest. A decode worker advances all its requests together, at the time of a step
with what it holds, from one change of its batch to the next: between two of them steps differ in their
context only, which is followed in pieces.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from models.serving.compiled import compiled
from models.serving.simulation.step import line, step_ms

__all__ = ["TIMES", "run_apart"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TIMES = ("sent_ms", "prefilled_ms", "across_ms", "admitted_ms", "first_step_ms", "end_ms")
"""Of a request: sent, prompt done, cache across, taken by a decode worker, its first step there done, end."""
(_SENT, _PREFILLED, _ACROSS, _ADMITTED, _FIRST, _END) = range(len(TIMES))
_PIECE = 256.0
"""Steps after which the growing context of a decode worker is looked at again."""
_SPAN, _DONE, _STEP, _CONTEXT, _USED = range(5)
# columns of a decode worker: time of its last change, steps made then, ms of a step, tokens in its cache
# beyond the steps each request made, tokens set aside


@compiled
def _push(heap: Floats, names: Ints, size: int, value: float, name: int) -> None:
    """Add to a binary heap of `size` entries."""
    place = size
    while place > 0:
        above = (place - 1) // 2
        if heap[above] <= value:
            break
        heap[place], names[place] = heap[above], names[above]
        place = above
    heap[place], names[place] = value, name


@compiled
def _pop(heap: Floats, names: Ints, size: int) -> Any:
    """Take the least off a heap of `size` entries."""
    top = names[0]
    value, name = heap[size - 1], names[size - 1]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size - 1:
            break
        if child + 1 < size - 1 and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[place], names[place] = heap[child], names[child]
        place = child
    heap[place], names[place] = value, name
    return top


@compiled
def _prompts_ms(
    w: int, queue: Ints, heads: Ints, sent: Ints, known: Ints, budget: float, whole: bool, curve: Any,
    attention: Floats, cost: Floats, left: Floats, load: Floats,
) -> Any:  # fmt: skip
    """Begin a step of prefill worker `w`: its time, how much later it is through, the prompts it completes.

    Those are moved to the head of its queue. Ranks are dealt prompts in turn and fill their own budget, first
    come first served; `load` float64[3, ranks] is room for their tokens, their attention, and whether a rank
    takes no more.
    """
    tokens, linear, experts, head, prefill, batches, contexts, send = curve
    ranks = load.shape[1]
    one = line(1.0, tokens, prefill)
    load[:] = 0.0
    full, done, place = 0, 0, heads[w]
    while place < sent[w] and full < ranks:
        i = queue[w, place]
        rank = (i // queue.shape[0]) % ranks
        if load[2, rank] == 0.0:
            take = left[i] if whole else min(left[i], budget - load[0, rank])
            if whole and load[0, rank] > 0.0 and load[0, rank] + take > budget:
                load[2, rank] = 1.0
                full += 1
            else:
                cached = known[i, 0] - left[i]
                begun = line(cached, tokens, prefill) if cached > 0.0 else 0.0
                pass_over = 0.8 * line(take, tokens, prefill)
                load[1, rank] += max(line(cached + take, tokens, prefill) - begun, pass_over) - one
                load[0, rank] += take
                left[i] -= take
                if load[0, rank] >= budget:
                    load[2, rank] = 1.0
                    full += 1
        if left[i] <= 0.0:
            for k in range(place, heads[w] + done, -1):
                queue[w, k] = queue[w, k - 1]
            queue[w, heads[w] + done] = i
            done += 1
        place += 1
    most, seen = 0.0, 0.0
    for rank in range(ranks):
        most, seen = max(most, load[0, rank]), max(seen, load[1, rank])
    time, through = step_ms(
        0, 1.0, most, seen + one, done, tokens, linear, experts, head, batches, contexts, attention, send,
        cost, 1,
    )  # fmt: skip
    return time, through - time, done


@compiled
def run_apart(
    known: Ints, concurrency: int, budget: float, whole: bool, seats: int, capacity: float, reserve: float,
    transfer_ms: float, before: Any, after: Any, times: Floats, left: Floats, queue: Ints, heaps: Floats,
    names: Ints, waiting: Ints, places: Ints, clock: Floats, worker: Floats, load: Floats,
) -> None:  # fmt: skip
    """Serve all requests; see `models.serving.disaggregated.simulate_clients` for the meaning.

    `known` int64[n, 2]: input and output tokens. `before`, `after`: curve, decode attention and costs of a
    prefill and a decode worker. `budget`: prompt tokens of a step of a rank of a prefill worker, `whole`
    prompts only or not. `seats`, `capacity`, `reserve`: requests and cache tokens of a decode worker, and the
    share of the output that is set aside. `transfer_ms`: per prompt token. Fills `times` float64[6, n]
    (`TIMES`); the rest is room to work in, zeros: `left` float64[n] (prompt tokens to prefill, later tokens
    held less the steps its decode worker had made), `queue` int64[prefill, n], `heaps` and `names`
    [decode, n + 1], `waiting` int64[decode, n], `places` int64[7, workers], `clock` float64[3, workers],
    `worker` float64[decode, 5], `load` float64[3, ranks of a prefill worker].
    """
    n = known.shape[0]
    before_curve, before_attention, before_cost = before
    tokens, linear, experts, head, _, batches, contexts, send = after[0]
    attention, cost = after[1], after[2]
    prefills, decodes = queue.shape[0], waiting.shape[0]
    heads, sent, crossing, completing = places[0], places[1], places[2], places[3]
    running, first_waiting, last_waiting = places[4], places[5], places[6]
    # of a prefill worker: until when its step lasts, and its link is in use; how much longer its prompts take
    # through the other stages of a pipeline
    until, link, behind = clock[0], clock[1], clock[2]
    until[:] = math.inf
    coming, to_send, finished, now = 0, min(concurrency, n), 0, 0.0
    for i in range(n):
        left[i] = float(known[i, 0])
    while finished < n:
        for _k in range(to_send):
            if coming < n:
                w = coming % prefills
                times[_SENT, coming] = now
                queue[w, sent[w]] = coming
                sent[w] += 1
                coming += 1
        to_send = 0
        for w in range(prefills):
            if until[w] == math.inf and heads[w] < sent[w]:
                took, behind[w], completing[w] = _prompts_ms(
                    w, queue, heads, sent, known, budget, whole, before_curve, before_attention, before_cost,
                    left, load,
                )  # fmt: skip
                until[w] = now + took
        # the next event: a prefill step ends, a cache is across, a decode worker changes
        what, who, at = 0, -1, math.inf
        for w in range(prefills):
            if until[w] < at:
                what, who, at = 0, w, until[w]
            if crossing[w] < heads[w] and times[_ACROSS, queue[w, crossing[w]]] < at:
                what, who, at = 1, w, times[_ACROSS, queue[w, crossing[w]]]
        for w in range(decodes):
            if running[w] > 0:
                state = worker[w]
                steps = min(heaps[w, 0] - state[_DONE], _PIECE)
                end = state[_SPAN] + steps * state[_STEP]
                if end < at:
                    what, who, at = 2, w, end
        now = max(now, at)
        if what == 0:
            for k in range(completing[who]):
                i = queue[who, heads[who] + k]
                times[_PREFILLED, i] = now + behind[who]
                link[who] = max(link[who], now + behind[who]) + transfer_ms * known[i, 0]
                times[_ACROSS, i] = link[who]
            heads[who] += completing[who]
            until[who] = math.inf
            continue
        if what == 1:
            i = queue[who, crossing[who]]
            crossing[who] += 1
            if known[i, 1] < 2:
                times[_ADMITTED, i] = times[_FIRST, i] = times[_END, i] = now
                finished += 1
                to_send += 1
                continue
            who = 0
            for w in range(1, decodes):
                if running[w] + last_waiting[w] - first_waiting[w] < (
                    running[who] + last_waiting[who] - first_waiting[who]
                ):
                    who = w
            waiting[who, last_waiting[who]] = i
            last_waiting[who] += 1
        state = worker[who]
        if running[who] > 0:
            state[_DONE] += (now - state[_SPAN]) / state[_STEP]
        state[_SPAN] = now
        while running[who] > 0 and heaps[who, 0] <= state[_DONE] + 1e-6:
            i = _pop(heaps[who], names[who], running[who])
            running[who] -= 1
            times[_END, i] = now
            # its tokens: prompt and steps made
            state[_CONTEXT] -= left[i]
            state[_USED] -= known[i, 0] + reserve * known[i, 1]
            finished += 1
            to_send += 1
        joins = 0.5 if running[who] > 0 else 0.0  # at the end of the running step, half a step away
        fresh = first_waiting[who]
        while first_waiting[who] < last_waiting[who] and running[who] < seats:
            i = waiting[who, first_waiting[who]]
            asked = known[i, 0] + reserve * known[i, 1]
            made = state[_CONTEXT] + running[who] * state[_DONE] if reserve < 1.0 else 0.0
            if running[who] > 0 and max(state[_USED], made) + asked > capacity:
                break
            first_waiting[who] += 1
            times[_ADMITTED, i] = now
            left[i] = known[i, 0] - state[_DONE]  # tokens it holds, less the steps its worker has made
            state[_CONTEXT] += left[i]
            state[_USED] += asked
            _push(heaps[who], names[who], running[who], state[_DONE] + joins + known[i, 1] - 1.0, i)
            running[who] += 1
        if running[who] > 0:
            context = state[_CONTEXT] / running[who] + state[_DONE]
            ahead = min(heaps[who, 0] - state[_DONE], _PIECE)
            state[_STEP], _ = step_ms(
                running[who], context + 0.5 * ahead, 0.0, 0.0, running[who], tokens, linear, experts, head,
                batches, contexts, attention, send, cost, 1,
            )  # fmt: skip
            for k in range(fresh, first_waiting[who]):
                times[_FIRST, waiting[who, k]] = now + (joins + 1.0) * state[_STEP]
