"""Which share of the requests keeps a latency."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from models.serving.analysis.columns import (
    BUSY,
    FULL_STEP,
    HELD,
    HELD2,
    LEVELS,
    LONGEST,
    NEGLIGIBLE,
    PROMPTS,
    STEP,
    STRETCH,
    TOGETHER,
    UNEVEN,
    WAIT,
    WEIGHT,
    YIELD,
)
from models.serving.analysis.companions import companions
from models.serving.analysis.gamma import regularised_gamma
from models.serving.compiled import compiled

__all__ = ["tpot_share", "ttft_share"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@compiled
def ttft_share(limit: float, points: Any, made: Any) -> Any:
    """See `operating.ttft_share`."""
    (_, at, own), input_weight = made, points[1]
    share = 0.0
    for level in range(LEVELS):
        weight = at[level, WEIGHT]
        if weight < NEGLIGIBLE:
            continue
        busy = at[level, BUSY]
        rate = busy / max(at[level, TOGETHER], 1e-9)
        part = 0.0
        for i in range(input_weight.size):
            left = limit - own[level, i]
            if left >= 0.0:
                part += input_weight[i] * (1.0 - busy * math.exp(-left * rate))
        share += weight * part
    return share


@compiled
def tpot_share(limit: float, rate: float, points: Any, made: Any) -> Any:
    """See `operating.tpot_share`; the moments of the work are those of `Load.at_rate`."""
    (table, at, _), steps, weights = made, points[2], points[3]
    share = 0.0
    for level in range(LEVELS):
        weight, row = at[level, WEIGHT], table[level]
        if weight < NEGLIGIBLE:
            continue
        if limit >= row[LONGEST]:
            share += weight
            continue
        busy = min(rate * row[HELD] / at[level, PROMPTS], 0.999999)
        free = 1.0 - busy
        service, wait = row[HELD] * row[STRETCH], at[level, WAIT]
        uneven, prompt = at[level, UNEVEN], row[HELD] / at[level, PROMPTS]
        squared = row[HELD2] + uneven * row[HELD] ** 2
        begun = busy**2 * max(wait**2 + row[HELD2] * row[STRETCH] ** 2 - service**2, 0.0)
        part = 0.0
        for i in range(steps.size):
            if steps[i] < 1.0:
                part += weights[i]
                continue
            left = (limit - row[STEP]) * steps[i]
            if left < 0.0:
                continue
            window = (row[STEP] * steps[i] + wait + service) / free
            beside = 0.0
            if uneven != 0.0:
                beside = companions(rate * window, uneven)
            work = busy * window + beside * prompt
            capped = min(work, row[FULL_STEP] * steps[i] / at[level, YIELD])
            variance = (rate * squared / at[level, PROMPTS] * window + begun) / free**2
            variance += max(beside, 0.0) * (1.0 + beside) * prompt**2
            variance *= (capped / max(work, 1e-12)) ** 2
            if capped <= 1e-9:  # nothing of others to sit through
                part += weights[i]
                continue
            mean, variance = capped, max(variance, 1e-12)
            part += weights[i] * regularised_gamma(mean**2 / variance, left * mean / variance)
        share += weight * part
    return share
