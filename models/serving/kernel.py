"""The engine simulator's inner loop, compiled.

One file on purpose: a cached compiled caller does not notice a change of a callee elsewhere. Times are ms.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["CHUNKED", "PACKED", "PREFILL_FIRST", "run", "step_ms"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CHUNKED, PREFILL_FIRST, PACKED = 0, 1, 2


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _line(x: float, grid: Floats, values: Floats) -> Any:
    """Linear interpolation; constant below the grid, proportional above it."""
    n = grid.size
    if x <= grid[0]:
        return values[0]
    if x >= grid[n - 1]:
        return values[n - 1] * x / grid[n - 1]
    low, high = 0, n - 1
    while high - low > 1:
        middle = (low + high) // 2
        if grid[middle] <= x:
            low = middle
        else:
            high = middle
    return values[low] + (values[high] - values[low]) * (x - grid[low]) / (grid[high] - grid[low])


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _plane(x: float, y: float, rows: Floats, columns: Floats, values: Floats) -> Any:
    """Bilinear interpolation, continued linearly beyond the grid."""
    i, j = 0, 0
    while i < rows.size - 2 and rows[i + 1] < x:
        i += 1
    while j < columns.size - 2 and columns[j + 1] < y:
        j += 1
    a = max((x - rows[i]) / (rows[i + 1] - rows[i]), 0.0)
    b = max((y - columns[j]) / (columns[j + 1] - columns[j]), 0.0)
    low = (1.0 - b) * values[i, j] + b * values[i, j + 1]
    high = (1.0 - b) * values[i + 1, j] + b * values[i + 1, j + 1]
    return (1.0 - a) * low + a * high


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def step_ms(
    decodes: int,
    context: float,
    prompt_tokens: float,
    prompt_attention: float,
    outputs: int,
    tokens: Floats,
    linear: Floats,
    experts: Floats,
    head: Floats,
    batches: Floats,
    contexts: Floats,
    attention: Floats,
    send: Floats,
    cost: Floats,
) -> Any:
    """Milliseconds of one step: `decodes` sequences of mean `context`, and `prompt_tokens` of prompts.

    `cost`: 0 linear scale, 1 prefill scale, 2 kernels per pass, 3 further in a step with a prefill, 4 step,
    5 sequence, 6 data-parallel ranks, 7 pipeline stages, 8 share of the layers in the largest stage.
    """
    ranks, stages, share = cost[6], cost[7], cost[8]
    beside = decodes / stages  # the decodes that one stage carries at a time
    local = math.ceil(beside / ranks) if ranks > 1.0 else beside
    time = _line(local + prompt_tokens, tokens, linear)
    time += _line(beside + prompt_tokens * ranks, tokens, experts)
    time += _line(max(outputs / stages, 1.0) / ranks, tokens, head)
    seen = _plane(max(local, 1.0), context, batches, contexts, attention) if decodes > 0 else 0.0
    if prompt_tokens > 0.0:
        time = (time + prompt_attention) * cost[1] + seen + cost[2] + cost[3]
    else:
        time = time * cost[0] + seen + cost[2]
    time += cost[4] + cost[5] * beside
    if stages > 1.0:
        # every stage works on its share of the batch: a round of all of them gives each sequence one token
        if prompt_tokens > 0.0:
            alone = _line(local, tokens, linear) + _line(beside, tokens, experts) + seen
            time = time * share + alone * share * (stages - 1.0) * cost[0]
        else:
            time = time * share * stages
        time += stages * _line(beside + prompt_tokens, tokens, send)
    return time


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def run(
    policy: int,
    arrivals: Floats,
    inputs: Ints,
    outputs: Ints,
    concurrency: int,
    budget: int,
    max_seqs: int,
    capacity: float,
    reserve: float,
    request_ms: float,
    prompt_ms: float,
    tokens: Floats,
    linear: Floats,
    experts: Floats,
    head: Floats,
    prefill: Floats,
    batches: Floats,
    contexts: Floats,
    attention: Floats,
    send: Floats,
    cost: Floats,
) -> Any:
    """Serve all requests; see `models.serving.simulator.simulate` for the meaning.

    Returns (sent, first token, end), each float64[n], and int64 counters: steps, steps with a prompt,
    preemptions, most tokens cached, most requests running.
    """
    n = inputs.size
    sent, first, end = np.zeros(n), np.zeros(n), np.zeros(n)
    ready = np.zeros(n)
    cached = np.zeros(n, np.int64)  # tokens in the cache
    need = inputs.copy()  # tokens to prefill before it decodes (again)
    made = np.zeros(n, np.int64)  # output tokens so far
    held = np.zeros(n)  # tokens of capacity reserved for it
    running = np.empty(max(max_seqs, 1) + 1, np.int64)
    size = n + 1
    queue = np.empty(size, np.int64)  # ring of waiting requests
    head_at, waiting = 0, 0
    part = np.empty(n, np.int64)  # prompts of this step, and their tokens in it
    part_tokens = np.empty(n, np.int64)
    counters = np.zeros(5, np.int64)
    alive, finished, coming = 0, 0, 0
    now, front = 0.0, 0.0
    used = 0.0  # tokens of capacity in use or reserved
    ranks = cost[6]
    one = _line(1.0, tokens, prefill)

    if concurrency > 0:
        while coming < min(concurrency, n):
            front = max(front, 0.0) + prompt_ms * inputs[coming] / 1000.0
            ready[coming] = front + request_ms
            queue[(head_at + waiting) % size] = coming
            waiting += 1
            coming += 1
    else:
        while coming < n:
            sent[coming] = arrivals[coming]
            front = max(front, arrivals[coming]) + prompt_ms * inputs[coming] / 1000.0
            ready[coming] = front + request_ms
            queue[(head_at + waiting) % size] = coming
            waiting += 1
            coming += 1

    while finished < n:
        # room for the next token of each running request: the youngest gives up its cache, a prompt that is
        # partly in before those that run, and is computed again later
        growth = 1.0 - reserve
        while growth > 0.0 and used + (alive + 1) * growth > capacity:
            begun_at = -1
            if waiting > 0 and cached[queue[head_at]] > 0:
                begun_at = queue[head_at]
            if begun_at >= 0 and (alive > 0 or used - held[begun_at] > 0.0):
                i = begun_at
            elif alive > 1:
                alive -= 1
                i = running[alive]
                need[i] = inputs[i] + made[i]
                head_at = (head_at - 1) % size
                queue[head_at] = i
                waiting += 1
            else:
                break
            counters[2] += 1
            used -= held[i]
            held[i] = 0.0
            cached[i] = 0

        # which prompts take part in the next step
        parts, prompt_tokens, prompt_attention, starts = 0, 0, 0.0, 0
        room = budget - (0 if policy == PREFILL_FIRST else math.ceil(alive / cost[7]))
        planned = used + (alive + 1) * growth
        looked = 0
        while looked < waiting and room > 0 and alive + parts < max_seqs:
            i = queue[(head_at + looked) % size]
            if ready[i] > now:
                break
            rest = need[i] - cached[i]
            take = min(rest, room)
            if policy == PACKED and take < rest and (alive > 0 or parts > 0):
                break
            if policy == PACKED:
                take = rest
            if cached[i] == 0:
                wanted = need[i] + reserve * (outputs[i] - made[i]) + growth
                if planned + wanted > capacity and (alive > 0 or parts > 0):
                    break
                planned += wanted
            part[parts] = i
            part_tokens[parts] = take
            parts += 1
            prompt_tokens += take
            room -= take
            whole = _line(float(cached[i] + take), tokens, prefill)
            begun = _line(float(cached[i]), tokens, prefill) if cached[i] > 0 else 0.0
            # the later part of a prompt costs what its triangle leaves, but no less than a pass over itself
            own = max(whole - begun, 0.8 * _line(float(take), tokens, prefill))
            prompt_attention += max(own - one, 0.0)
            if take == rest:
                starts += 1
            looked += 1
            if take < rest:
                break

        if parts == 0 and alive == 0:
            now = max(now, ready[queue[head_at]])
            continue

        decodes = alive if (parts == 0 or policy != PREFILL_FIRST) else 0
        total = 0
        least = 1 << 60
        for r in range(decodes):
            i = running[r]
            total += cached[i]
            least = min(least, outputs[i] - made[i])
        context = total / decodes if decodes > 0 else 1.0

        if parts > 0:
            counters[0] += 1
            counters[1] += 1
            for z in range(parts):
                i = part[z]
                if cached[i] == 0:
                    held[i] = need[i] + reserve * (outputs[i] - made[i])
                    used += held[i]
            spread = math.ceil(parts / ranks) / parts if ranks > 1.0 else 1.0
            now += step_ms(
                decodes,
                context,
                prompt_tokens * spread,
                prompt_attention * spread + one,
                decodes + starts,
                tokens,
                linear,
                experts,
                head,
                batches,
                contexts,
                attention,
                send,
                cost,
            )
            count = 1
        else:
            count = least
            cost_of_one = step_ms(
                decodes,
                context,
                0.0,
                0.0,
                decodes,
                tokens,
                linear,
                experts,
                head,
                batches,
                contexts,
                attention,
                send,
                cost,
            )
            if waiting > 0 and alive < max_seqs:
                gap = ready[queue[head_at]] - now
                if gap > 0.0:
                    count = min(count, max(1, math.ceil(gap / cost_of_one - 1e-9)))
            if count > 64:  # long runs in pieces, so that the growing context is seen
                count = min(count, max(64, least // 4))
            if growth > 0.0:
                count = max(1, min(count, int((capacity - used) // (decodes * growth))))
            counters[0] += count
            now += count * step_ms(
                decodes,
                context + 0.5 * count,
                0.0,
                0.0,
                decodes,
                tokens,
                linear,
                experts,
                head,
                batches,
                contexts,
                attention,
                send,
                cost,
            )

        # decodes advance
        before = alive
        if decodes > 0:
            kept = 0
            for r in range(before):
                i = running[r]
                made[i] += count
                cached[i] += count
                grown = count * (1.0 - reserve)
                held[i] += grown
                used += grown
                if made[i] >= outputs[i]:
                    end[i] = now
                    used -= held[i]
                    finished += 1
                    if concurrency > 0 and coming < n:
                        sent[coming] = now
                        front = max(front, now) + prompt_ms * inputs[coming] / 1000.0
                        ready[coming] = front + request_ms
                        queue[(head_at + waiting) % size] = coming
                        waiting += 1
                        coming += 1
                else:
                    running[kept] = i
                    kept += 1
            alive = kept
        # prompts advance; a whole one gives its first token
        done = 0
        for z in range(parts):
            i = part[z]
            cached[i] += part_tokens[z]
            if cached[i] < need[i]:
                continue
            done += 1
            if made[i] == 0:
                first[i] = now
            made[i] += 1
            cached[i] += 1
            held[i] += 1.0 - reserve
            used += 1.0 - reserve
            if made[i] >= outputs[i]:
                end[i] = now
                used -= held[i]
                finished += 1
            else:
                running[alive] = i
                alive += 1
        if done > 0:  # whole prompts are at the front of the queue, in order
            head_at = (head_at + done) % size
            waiting -= done
            for z in range(done):
                i = part[z]
                if made[i] >= outputs[i] and concurrency > 0 and coming < n:
                    sent[coming] = now
                    front = max(front, now) + prompt_ms * inputs[coming] / 1000.0
                    ready[coming] = front + request_ms
                    queue[(head_at + waiting) % size] = coming
                    waiting += 1
                    coming += 1
        counters[3] = max(counters[3], int(used))
        counters[4] = max(counters[4], alive)
    return sent, first, end, counters
