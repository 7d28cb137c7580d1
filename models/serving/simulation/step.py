"""The time of one engine step, compiled. Times are ms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from models.serving.compiled import compiled

__all__ = ["line", "step_ms"]

Floats = npt.NDArray[np.float64]


@compiled
def line(x: float, grid: Floats, values: Floats) -> Any:
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


@compiled
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


@compiled
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
    carrying: int,
) -> Any:
    """Milliseconds of one step: `decodes` sequences of mean `context`, and `prompt_tokens` of prompts.

    Of a pipeline a round: each of its stages works on a share of the batch, of which `carrying` shares carry
    that many prompt tokens each. Returned are the time until the first stage is free for the next round, and
    until what it began with has been through all of them, at least as long.

    `cost`: 0 linear scale, 1 prefill scale, 2 kernels per pass, 3 further in a step with a prefill, 4 step,
    5 sequence, 6 data-parallel ranks, 7 pipeline stages, 8 share of the layers in the largest stage, 9 tokens
    of each sequence that a step passes, 10 layers of its drafts by those of the model.
    """
    ranks, stages, share, width = cost[6], cost[7], cost[8], cost[9]
    beside = decodes / stages  # the decodes that one stage carries at a time
    local = math.ceil(beside / ranks) if ranks > 1.0 else beside
    time = line(local * width + prompt_tokens, tokens, linear)
    time += line(beside * width + prompt_tokens * ranks, tokens, experts)
    time += line(max((outputs + decodes * (width - 1.0)) / stages, 1.0) / ranks, tokens, head)
    seen = _plane(max(local, 1.0), context, batches, contexts, attention) if decodes > 0 else 0.0
    if prompt_tokens > 0.0:
        time = (time + prompt_attention) * cost[1] + seen + cost[2] + cost[3]
    else:
        time = time * cost[0] + seen + cost[2]
    time += cost[4] + cost[5] * beside
    if width > 1.0 and decodes > 0:
        layers = line(local, tokens, linear) + line(beside, tokens, experts)
        time += cost[10] * (layers * cost[0] + seen + cost[2] + cost[4])
        time += (width - 1.0) * line(max(decodes / stages, 1.0) / ranks, tokens, head) * cost[0]
    if stages == 1.0:
        return time, time
    # a round of all shares gives each sequence one token
    sends = stages * line(beside + prompt_tokens, tokens, send)
    through = time * share * stages + sends
    if prompt_tokens > 0.0:
        alone = line(local, tokens, linear) + line(beside, tokens, experts) + seen if decodes > 0 else 0.0
        time = share * (time * carrying + alone * (stages - carrying) * cost[0]) + sends
        return time, max(time, through)
    return through, through
