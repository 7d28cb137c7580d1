"""A decode instance: requests arrive with their cache and leave with their last token."""

from __future__ import annotations

import heapq
import math

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.serving import InstanceModel
from planner.split.engine_latency import EngineLatency

__all__ = ["decode_ends_ms"]

PIECE = 64
"""Steps that are priced together at most: their context grows meanwhile."""


def decode_ends_ms(
    instance: InstanceModel,
    ready_ms: npt.NDArray[np.float64],
    input_tokens: npt.NDArray[np.int64],
    output_tokens: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Serve requests whose first token and cache exist already.

    First come, first served; a request joins when a place in the batch is free and the cache holds its whole
    length beside those that run. Steps between two joins or ends are one event.

    Parameters
    ----------
    ready_ms
        float64[n], ascending: when the cache has arrived.
    input_tokens, output_tokens
        int64[n]; the first of the output tokens is there already.

    Returns
    -------
    float64[n]: when the last token was there.

    Raises
    ------
    InvalidInput
        A request that is longer than the cache.
    """
    whole = (input_tokens + output_tokens).tolist()
    room = instance.memory.kv_cache_tokens
    if max(whole) > room:
        raise InvalidInput(f"a request of {max(whole):,} tokens does not fit the cache of {room:,} tokens")
    latency = EngineLatency(instance)
    places = instance.configuration.max_num_seqs
    inputs, steps_of, ready = input_tokens.tolist(), (output_tokens - 1).tolist(), ready_ms.tolist()
    end = ready_ms.copy()
    running: list[tuple[int, int]] = []  # (step at which it ends, request)
    now, step, context, reserved, upcoming = 0.0, 0, 0, 0, 0
    while upcoming < len(ready) or running:
        while upcoming < len(ready) and ready[upcoming] <= now:
            if not steps_of[upcoming]:
                upcoming += 1
                continue
            if len(running) >= places or reserved + whole[upcoming] > room:
                break
            heapq.heappush(running, (step + steps_of[upcoming], upcoming))
            context += inputs[upcoming] + 1
            reserved += whole[upcoming]
            upcoming += 1
        if not running:
            if upcoming < len(ready):
                now = max(now, ready[upcoming])
            continue
        batch = len(running)
        count = min(running[0][0] - step, PIECE)
        if upcoming < len(ready) and ready[upcoming] > now and batch < places:
            one = latency.decode_ms(batch, context + batch)
            count = min(count, max(1, math.ceil((ready[upcoming] - now) / one - 1e-9)))
        now += count * latency.decode_ms(batch, context + batch * (count + 1) / 2)
        step += count
        context += batch * count
        while running and running[0][0] <= step:
            _, request = heapq.heappop(running)
            end[request] = now
            context -= whole[request]
            reserved -= whole[request]
    return end
