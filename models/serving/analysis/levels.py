"""What an instance does beside each number of running requests, whatever the arrival rate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from models.serving.analysis.columns import (
    BESIDE,
    BUDGET,
    DECODES,
    DP,
    DRAFT,
    FULL_STEP,
    HANDOVER_MS,
    HELD,
    HELD2,
    LEVEL,
    LEVELS,
    LONGEST,
    MADE,
    MU,
    OWN,
    POLL,
    PP,
    PREFILL_SCALE,
    PREFILL_STEP_MS,
    PREFILLS,
    PROMPT_MS,
    REQUEST_MS,
    SCALE,
    SEPARATE,
    SEQS,
    SEQUENCE_MS,
    SHARE,
    STEP,
    STEP_MS,
    STRETCH,
    WIDTH,
)
from models.serving.compiled import compiled

__all__ = ["decode_ms", "line", "pass_ms", "population", "tabulate"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@compiled
def line(x: float, grid: Floats, values: Floats) -> Any:
    """Linear interpolation; constant below the grid, its last piece continued above."""
    if x <= grid[0]:
        return values[0]
    low, high = 0, grid.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if grid[middle] < x:
            low = middle
        else:
            high = middle
    return values[low] + (values[high] - values[low]) * (x - grid[low]) / (grid[high] - grid[low])


@compiled
def pass_ms(tokens: float, rank_tokens: float, outputs: float, curve: Any, moe: bool) -> Any:
    """See `Load.pass_ms`."""
    time = line(rank_tokens, curve[0], curve[1]) + line(outputs, curve[0], curve[3])
    return time + line(tokens, curve[0], curve[2]) if moe else time


@compiled
def decode_ms(batch: float, p: Floats, curve: Any, moe: bool) -> Any:
    """See `Load.decode_ms`."""
    micro = max(max(batch, 1.0) / p[PP], 1.0)
    ranked = max(micro / p[DP], 1.0)
    wide = ranked * p[WIDTH]
    once = pass_ms(micro * p[WIDTH], wide, wide, curve, moe) * p[SCALE]
    seen = line(ranked, curve[6], curve[7])
    once += seen + p[STEP_MS] + p[SEQUENCE_MS] * micro
    if p[WIDTH] > 1.0:
        layers = line(ranked, curve[0], curve[1]) + (line(micro, curve[0], curve[2]) if moe else 0.0)
        once += p[DRAFT] * (layers * p[SCALE] + seen + p[STEP_MS])
        once += (p[WIDTH] - 1.0) * line(ranked, curve[0], curve[3]) * p[SCALE]
    sends = p[PP] * line(micro, curve[0], curve[4]) if p[PP] > 1.0 else 0.0
    return once * p[PP] * p[SHARE] + sends


@compiled
def tabulate(p: Floats, curve: Any, points: Any, mean_steps: float, made: Any) -> None:
    """What does not depend on the arrival rate, at each level: see `Load._tabulate`."""
    inputs, input_weight, (table, _, own), computed = points[0], points[1], made, points[4]
    moe = False
    for value in curve[2]:
        moe = moe or value != 0.0
    prefills, decodes = p[PREFILLS] > 0.0, p[DECODES] > 0.0
    alone = p[SEPARATE] > 0.0 or not decodes
    dp, budget = p[DP], p[BUDGET]
    sends = (p[PP] - 1.0) * line(budget, curve[0], curve[4])
    overhead = p[PREFILL_STEP_MS] + (p[STEP_MS] if alone else 0.0)
    longest = 0.0
    for level in range(LEVELS):
        row = table[level]
        batch = row[LEVEL]
        step = below = 0.0
        if decodes:
            step = decode_ms(batch + 1.0, p, curve, moe)
            below = decode_ms(batch, p, curve, moe)
        beside = 0.0 if alone else step
        here = 0.0 if alone else batch
        room = max(budget - here / dp, 1.0)
        base = 0.0
        if here > 0.0:
            base = pass_ms(here, here / dp, here / dp, curve, moe) * p[SCALE]
        outputs = here / dp + 1.0
        full = pass_ms(room * dp + here, room + here / dp, outputs, curve, moe)
        mean = square = mean_own = attended = prompt = 0.0
        for i in range(inputs.size + 1):
            # the last one is a step full of prompts
            tokens = computed[i] if i < inputs.size else max(budget - batch / dp, 1.0)
            steps = math.ceil(tokens / room)
            rest = tokens - (steps - 1.0) * room
            last = pass_ms(rest * dp + here, rest + here / dp, outputs, curve, moe)
            extra = ((steps - 1.0) * full + last) * p[PREFILL_SCALE] - steps * base
            extra = max(extra, 0.0) + steps * overhead
            if i == inputs.size:
                extra += attended / max(prompt, 1e-9) * p[PREFILL_SCALE] * tokens
                row[FULL_STEP] = max(extra * p[SHARE], 1e-9) * p[PP]
                break
            attended += input_weight[i] * curve[5][i]
            prompt += input_weight[i] * computed[i]
            first = 0.0
            if prefills:
                first = extra + steps * sends + curve[5][i] * p[PREFILL_SCALE]
                held = (extra + curve[5][i] * p[PREFILL_SCALE]) * p[SHARE]
                mean += input_weight[i] * held
                square += input_weight[i] * held**2
                first += step + (p[POLL] * step if batch > 0.0 else 0.0)
            own[level, i] = first + steps * beside + p[REQUEST_MS]
            own[level, i] += (p[PROMPT_MS] / 1000.0 + p[HANDOVER_MS]) * inputs[i]
            mean_own += input_weight[i] * own[level, i]
        decoding = max(batch, 1e-12)
        row[STEP], row[HELD], row[HELD2], row[OWN], row[BESIDE] = (
            step / p[MADE],
            mean,
            square,
            mean_own,
            beside,
        )
        row[LONGEST] = math.inf
        if p[SEPARATE] == 0.0:
            longest = max(longest, (step + row[FULL_STEP]) / p[MADE])
            row[LONGEST] = longest
        below /= p[MADE]
        row[STRETCH] = 1.0 + beside * p[PP] / row[FULL_STEP] if prefills else 1.0
        row[MU] = decoding / max(mean_steps * below + decoding * mean, 1e-12)
        if dp > 1.0:  # see `Load._throughput`
            every = decoding / max(mean_steps * (below + mean), 1e-12)
            most = decoding / max(mean_steps * below + decoding * mean / dp, 1e-12)
            row[MU] = min(max(row[MU], every), most)


@compiled
def population(p: Floats, table: Floats, mu: Floats, shape: Floats) -> None:
    """μ at every number of requests: see `Load._population`.

    `shape`: the number up to which μ rises, the least μ beyond it, and 0 (no logarithms summed yet).
    """
    right, rises = 1, True
    shape[1], shape[2] = math.inf, 0.0
    mu[0] = 0.0
    for n in range(1, int(p[SEQS]) + 1):
        while right < LEVELS - 1 and table[right, LEVEL] < n:
            right += 1
        low, high = table[right - 1], table[right]
        f = (n - low[LEVEL]) / (high[LEVEL] - low[LEVEL])
        each = (1.0 - f) * low[MU] / max(low[LEVEL], 1e-12) + f * high[MU] / max(high[LEVEL], 1e-12)
        mu[n] = each * n
        rises = rises and mu[n] >= mu[n - 1]
        if rises:
            shape[0] = n
        else:
            shape[1] = min(shape[1], mu[n])
