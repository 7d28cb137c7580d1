"""The engine simulator's loop, compiled. Times are ms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from models.serving.compiled import compiled
from models.serving.simulation.blocks import UNPINNED, evict, pin, publish, resident_prefix, unpin
from models.serving.simulation.queues import (
    next_ready_ms,
    peek,
    pop,
    push,
    push_front,
    ready_count,
    waiting_count,
)
from models.serving.simulation.step import line, step_ms

__all__ = [
    "CHUNKED", "COUNTERS", "GAP_BINS", "GAP_RATIO", "PACKED", "PREFILL_FIRST", "SHORTEST_GAP_MS", "run",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CHUNKED, PREFILL_FIRST, PACKED = 0, 1, 2
SHORTEST_GAP_MS, GAP_RATIO, GAP_BINS = 0.01, 1.01, 2000
"""Times between two tokens are counted in bins of equal ratio from the shortest on."""
_LOG_RATIO = math.log(GAP_RATIO)
COUNTERS = (
    "steps", "prefill_steps", "preemptions", "peak_cached_tokens", "peak_running", "computed_prompt_tokens",
    "reused_prompt_tokens", "recomputed_tokens", "peak_kept_tokens",
)  # fmt: skip
(_STEPS, _PREFILL_STEPS, _PREEMPTIONS, _PEAK, _RUNNING, _COMPUTED, _REUSED, _RECOMPUTED,
 _KEPT) = range(9)  # fmt: skip
# columns of what is known of a request
_INPUT, _OUTPUT, _CLASS, _GIVEN, _NEED, _MADE, _CACHED, _PINNED, _ADMITTED = range(9)


@compiled
def _release(i: int, known: Ints, held: Floats, size: int, blocks: Any) -> Any:
    """Take its cache from a request; the tokens that come free."""
    free = held[i] + size * unpin(i, known[i, _PINNED], blocks)
    held[i] = 0.0
    known[i, _CACHED] = known[i, _PINNED] = known[i, _ADMITTED] = 0
    return free


@compiled
def _victim(below: int, running: Ints, alive: int, known: Ints, queues: Any) -> Any:
    """Whose cache to take: (class of a prompt that is partly in or -1, place among the running or -1).

    The least urgent class first; in a class a prompt before those that run, of those the youngest. Only
    classes less urgent than `below` count.
    """
    for c in range(queues[0].shape[0] - 1, below, -1):
        if queues[2][0, c] > 0 and known[peek(c, 0, queues), _ADMITTED] == 1:
            return c, -1
        for place in range(alive - 1, -1, -1):
            if known[running[place], _CLASS] == c:
                return -1, place
    return -1, -1


@compiled
def _preempt(
    prompt_class: int, place: int, running: Ints, alive: int, known: Ints, held: Floats, size: int,
    blocks: Any, queues: Any, decode_only: bool, counters: Ints,
) -> Any:  # fmt: skip
    """Take the cache of a victim, which is computed again later; the tokens that come free, those running."""
    if prompt_class >= 0:
        i = peek(prompt_class, 0, queues)
    else:
        i = running[place]
        for later in range(place, alive - 1):
            running[later] = running[later + 1]
        alive -= 1
        known[i, _NEED] = known[i, _INPUT] + known[i, _MADE]
        push_front(known[i, _CLASS], i, queues)
    if decode_only:
        known[i, _GIVEN] = 0  # what was handed over is lost
    counters[_PREEMPTIONS] += 1
    counters[_RECOMPUTED] += known[i, _CACHED]
    return _release(i, known, held, size, blocks), alive


@compiled
def _gap_bin(gap_ms: float) -> Any:
    """The bin of a time between two tokens: a hundredth wider than the one before (`GAP_RATIO`)."""
    if gap_ms <= SHORTEST_GAP_MS:
        return 0
    return min(int(math.log(gap_ms / SHORTEST_GAP_MS) / _LOG_RATIO), GAP_BINS - 1)


@compiled
def run(
    policy: int, poll: int, balance: int, decode_only: bool, arrivals: Floats, known: Ints,
    concurrency: int, budget: int, max_seqs: int, capacity: float, reserve: float, request_ms: float,
    prompt_ms: float, size: int, blocks: Any, queues: Any, curve: Any, attention: Floats, cost: Floats,
    times: Floats, counters: Ints, gaps: Ints, scratch: Floats, places: Ints, running: Ints,
) -> None:  # fmt: skip
    """Serve all requests; see `models.serving.simulator.simulate` for the meaning.

    `poll`: decode steps between two looks at what has arrived. `balance`: decode steps that prompts wait at
    most until there is one for every replica of the attention.
    `known` int64[n, 9]: input, output, class, tokens given, tokens to prefill (before it decodes, again after
    a preemption), tokens made, cached, blocks pinned, whether it has been admitted. `curve`: tokens, linear,
    experts, head, prompt attention, batches, contexts, send. Fills `times` float64[3, n] (sent, first token,
    end), `counters` (`COUNTERS`) and `gaps` int64[`GAP_BINS`]. `size` is the tokens of a block, 0 without a
    block cache. `scratch` float64[5, n] and `places` int64[2, n] are for its own use, `running` has room for
    `max_seqs` and one more.
    """
    n = known.shape[0]
    sent, first, end = times[0], times[1], times[2]
    # held: tokens of capacity that are its own, or reserved for it; last: when it got its last token
    # late: how much after the end of a round it gets its token, which goes through the stages of a pipeline
    # back: when the clients that send next have their answers
    ready, held, last, late, back = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    part, part_tokens = places[0], places[1]
    tokens, linear, experts, head, prefill, batches, contexts, send = curve
    alive, finished, coming = 0, 0, 0
    unseen = poll  # decode steps since the engine last looked at what has arrived
    waited = 0  # decode steps that prompts have waited for others
    now, front = 0.0, 0.0
    used = 0.0  # tokens of capacity in use or reserved, pinned blocks once
    # requests make steps; one takes `tokens_a_step` tokens of the cache
    ranks, tokens_a_step = cost[6], cost[11]
    growth = (1.0 - reserve) * tokens_a_step
    one = line(1.0, tokens, prefill)
    classes = queues[0].shape[0]
    stages = int(cost[7])
    to_send = min(concurrency, n) if concurrency > 0 else n

    while finished < n:
        while to_send > 0 and coming < n:  # what clients send now (or all there is, in an open loop)
            sent[coming] = max(now, back[to_send - 1]) if concurrency > 0 else arrivals[coming]
            front = max(front, sent[coming]) + prompt_ms * known[coming, _INPUT] / 1000.0
            ready[coming] = front + request_ms
            push(known[coming, _CLASS], coming, queues)
            coming += 1
            to_send -= 1
        to_send = 0

        # room for the next token of each running request
        while growth > 0.0 and used + (alive + 1) * growth > capacity:
            holders = alive
            for c in range(classes):
                holders += queues[2][0, c] > 0 and known[peek(c, 0, queues), _ADMITTED] == 1
            if holders <= 1:
                break
            c, place = _victim(-1, running, alive, known, queues)
            freed, alive = _preempt(
                c, place, running, alive, known, held, size, blocks, queues, decode_only, counters
            )
            used -= freed

        # which prompts take part in the next step
        parts, prompt_tokens, prompt_attention, starts, admitted = 0, 0, 0.0, 0, 0
        # each stage of a pipeline works on a share of the batch that has a budget of its own
        lane = budget - (0 if policy == PREFILL_FIRST else math.ceil(alive / cost[7]))
        room = lane * stages
        full = alive > 0 and unseen < poll
        unseen = unseen if full else 0
        here = 0  # prompts that wait for others, so that every replica gets one
        if balance > waited and ranks > 1.0 and alive >= ranks and not full:
            here = ready_count(now, ready, int(ranks), queues)
            here = here if here < ranks else 0
        full = full or here > 0
        for c in range(classes):
            looked = 0
            while not full and looked < queues[2][0, c] and room > 0 and alive + parts < max_seqs:
                i = peek(c, looked, queues)
                if ready[i] > now:
                    break
                hits, cached = 0, known[i, _CACHED]
                if known[i, _ADMITTED] == 0:
                    hits = resident_prefix(i, blocks) if size > 0 else 0
                    cached = max(min(hits * size, known[i, _NEED] - 1), known[i, _GIVEN])
                    hits = min(hits, cached // size) if size > 0 else 0
                rest = known[i, _NEED] - cached
                take = min(rest, room)
                # a replica takes no second prompt that its own share of the budget does not hold
                second = parts // (int(ranks) * stages) + 1
                tight = ranks > 1.0 and parts > 0 and second * rest * ranks > budget
                if policy == PACKED and ((min(room, lane) < rest and (alive > 0 or parts > 0)) or tight):
                    full = True
                    break
                if policy == PACKED:
                    take = rest
                if known[i, _ADMITTED] == 0:
                    more = reserve * (known[i, _OUTPUT] - known[i, _MADE]) * tokens_a_step
                    own = known[i, _NEED] - hits * size + more
                    pinned = pin(i, hits, blocks) if hits > 0 else 0
                    wanted = own + size * pinned + (alive + 2 + admitted) * growth
                    # an urgent request takes the place of less urgent ones
                    while used + wanted > capacity:
                        other, place = _victim(c, running, alive, known, queues)
                        if parts > 0 or (other < 0 and place < 0):
                            break
                        freed, alive = _preempt(
                            other, place, running, alive, known, held, size, blocks, queues, decode_only,
                            counters,
                        )  # fmt: skip
                        used -= freed
                    if used + wanted > capacity and (alive > 0 or parts > 0 or used > 0.0):
                        unpin(i, hits, blocks)
                        full = True
                        break
                    held[i] = own
                    used += own + size * pinned
                    known[i, _CACHED], known[i, _PINNED], known[i, _ADMITTED] = cached, hits, 1
                    counters[_REUSED] += cached if not decode_only else 0
                    admitted += 1
                    if size > 0:
                        evict(int((capacity - used) // size), blocks)
                if rest == 0:  # its cache was handed over: it only decodes
                    pop(c, queues)
                    known[i, _CACHED] += 1
                    held[i] += growth
                    used += growth
                    running[alive] = i
                    alive += 1
                    room -= 1
                    continue
                part[parts] = i
                part_tokens[parts] = take
                parts += 1
                prompt_tokens += take
                room -= take
                whole = line(float(cached + take), tokens, prefill)
                begun = line(float(cached), tokens, prefill) if cached > 0 else 0.0
                # the later part of a prompt costs what its triangle leaves, but no less than a pass over it
                prompt_attention += max(
                    max(whole - begun, 0.8 * line(float(take), tokens, prefill)) - one, 0.0
                )
                if take == rest:
                    starts += 1
                looked += 1
                if take < rest:
                    full = True

        if parts == 0 and alive == 0:
            now = max(now, next_ready_ms(ready, queues))
            continue

        decodes = alive if (parts == 0 or policy != PREFILL_FIRST) else 0
        total = 0.0
        least = 1 << 60
        for r in range(decodes):
            i = running[r]
            total += known[i, _CACHED] + (tokens_a_step - 1.0) * known[i, _MADE]
            least = min(least, known[i, _OUTPUT] - known[i, _MADE])
        context = total / decodes if decodes > 0 else 1.0
        carrying = 1
        if parts > 0:
            carrying = min(math.ceil(prompt_tokens / max(lane, 1)), stages)
            carrying = min(carrying, parts) if policy == PACKED else carrying
        together = math.ceil(parts / carrying)
        spread = math.ceil(together / ranks) / together if ranks > 1.0 and parts > 0 else 1.0
        count, step = 1, 0.0
        if parts == 0:
            count = least
            if waiting_count(queues) > 0 and alive < max_seqs:
                gap = next_ready_ms(ready, queues) - now
                if gap > 0.0 or unseen + 1 < poll:
                    step, _ = step_ms(
                        decodes, context, 0.0, 0.0, decodes, tokens, linear, experts, head, batches,
                        contexts, attention, send, cost, 1,
                    )  # fmt: skip
                    count = min(count, max(1, math.ceil(gap / step - 1e-9), poll - unseen))
            if here > 0:
                count = 1 if waiting_count(queues) > here else min(count, balance - waited)
            if count > 64:  # long runs in pieces, so that the growing context is seen
                count = min(count, max(64, least // 4))
            if growth > 0.0:
                count = max(1, min(count, int((capacity - used) // (decodes * growth))))
            context += 0.5 * count
        else:
            unseen = poll
            counters[_PREFILL_STEPS] += 1
            counters[_COMPUTED] += prompt_tokens
            prompt_attention = prompt_attention / carrying * spread + one
        unseen += count if parts == 0 else 0
        waited = waited + count if here > 0 else 0
        counters[_STEPS] += count
        before = now
        step, through = step_ms(
            decodes, context, prompt_tokens / carrying * spread, prompt_attention, decodes + starts, tokens,
            linear, experts, head, batches, contexts, attention, send, cost, carrying,
        )  # fmt: skip
        now += count * step
        usual = _gap_bin(step)
        gaps[usual] += decodes * count

        # decodes advance
        kept = 0 if decodes > 0 else alive
        for r in range(decodes):
            i = running[r]
            if last[i] != before:  # it waited for a step of others, or for its cache
                gaps[usual] -= 1
                gaps[_gap_bin(before + step - last[i])] += 1
            last[i] = now
            known[i, _MADE] += count
            known[i, _CACHED] += count
            held[i] += count * growth
            used += count * growth
            if known[i, _MADE] >= known[i, _OUTPUT]:
                end[i] = back[to_send] = now + late[i]
                used -= _release(i, known, held, size, blocks)
                finished += 1
                to_send += 1
            else:
                running[kept] = i
                kept += 1
        alive = kept
        # prompts advance; a whole one gives its first token
        for z in range(parts):
            i = part[z]
            known[i, _CACHED] += part_tokens[z]
            if known[i, _CACHED] < known[i, _NEED]:
                continue
            pop(known[i, _CLASS], queues)
            if known[i, _MADE] == 0:
                late[i] = through - step
                first[i] = now + late[i]
            else:
                gaps[_gap_bin(now - last[i])] += 1
            last[i] = now
            known[i, _MADE] += 1
            known[i, _CACHED] += 1
            held[i] += growth
            used += growth
            if size > 0:
                private = known[i, _INPUT] // size - known[i, _PINNED]
                used -= size * (private - publish(i, known[i, _PINNED], blocks))
                held[i] -= size * private
                known[i, _PINNED] += private
            if known[i, _MADE] >= known[i, _OUTPUT]:
                end[i] = back[to_send] = now + late[i]
                used -= _release(i, known, held, size, blocks)
                finished += 1
                to_send += 1
            else:
                running[alive] = i
                alive += 1
        if concurrency == 0:
            to_send = 0
        if size > 0:
            evict(int((capacity - used) // size), blocks)
            counters[_KEPT] = max(counters[_KEPT], int(used) + size * blocks[6][UNPINNED])
        counters[_PEAK] = max(counters[_PEAK], int(used))
        counters[_RUNNING] = max(counters[_RUNNING], alive)
