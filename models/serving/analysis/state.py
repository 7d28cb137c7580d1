"""The stationary state of an instance at an arrival rate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from models.serving.analysis.columns import (
    BESIDE,
    BUSY,
    DECODES,
    DP,
    HELD,
    HELD2,
    LEVEL,
    LEVELS,
    MADE,
    OWN,
    PROMPTS,
    SEQS,
    STRETCH,
    TOGETHER,
    UNEVEN,
    UTIL,
    WAIT,
    WEIGHT,
    YIELD,
)
from models.serving.analysis.companions import companions
from models.serving.compiled import compiled

__all__ = ["state_at"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@compiled
def _law(rate: float, most: int, spread: float, mu: Floats, shape: Floats, sums: Floats, law: Floats) -> Any:
    """Fill the stationary law, not normalised, where it is not negligible: its first and last number.

    See `stationary`; beyond `most` a geometric tail is counted to the last number. Below the rates at
    which μ falls, the law has one peak and is built from there.
    """
    ratio = (rate / mu[most]) ** (1.0 / spread)
    tail = 1.0 / max(1.0 - ratio, 1e-12) if ratio < 1.0 else math.exp(40.0)
    low, high = 0, most
    if rate >= shape[1]:
        if shape[2] == 0.0:
            shape[2] = 1.0
            for n in range(1, most + 1):
                sums[n] = sums[n - 1] + math.log(mu[n])
        log_rate, peak = math.log(rate), -math.inf
        for n in range(most + 1):
            peak = max(peak, n * log_rate - sums[n])
        for n in range(most + 1):
            law[n] = math.exp((n * log_rate - sums[n] - peak) / spread)
    else:
        high = int(shape[0])
        while high > low:  # the last number whose μ is below the rate is the most likely one
            middle = (low + high + 1) // 2
            if mu[middle] <= rate:
                low = middle
            else:
                high = middle - 1
        high = low
        law[low] = 1.0
        while low > 0 and law[low] > 1e-25:
            step = mu[low] / rate
            law[low - 1] = law[low] * (step if spread == 1.0 else step ** (1.0 / spread))
            low -= 1
        while high < most and law[high] > 1e-32:
            step = rate / mu[high + 1]
            law[high + 1] = law[high] * (step if spread == 1.0 else step ** (1.0 / spread))
            high += 1
    if high == most:
        law[most] *= tail
    return low, high


@compiled
def state_at(
    rate: float, p: Floats, cache: Floats, laws: Any, packed: float, bounds: Floats, made: Any
) -> Any:
    """The state at an arrival rate per ms: see `Load.at_rate`. Utilisation, running, cache bytes, full."""
    (table, at, _), (mu, shape, sums, law) = made, laws
    running = peak = full = 0.0
    uneven = bounds[7] * min(rate / bounds[8], 1.0)
    for level in range(LEVELS):
        at[level, WEIGHT] = 0.0
    at[0, WEIGHT] = 1.0
    if p[DECODES] > 0.0:
        most = int(p[SEQS])
        first, last = _law(rate, most, 1.0 + uneven / 2.0, mu, shape, sums, law)
        total, right = 0.0, 1
        at[0, WEIGHT] = 0.0
        for n in range(first, last + 1):
            value = law[n]
            total += value
            running += n * value
            while right < LEVELS - 1 and table[right, LEVEL] < n:
                right += 1
            f = (n - table[right - 1, LEVEL]) / (table[right, LEVEL] - table[right - 1, LEVEL])
            at[right - 1, WEIGHT] += (1.0 - f) * value
            at[right, WEIGHT] += f * value
        for level in range(LEVELS):
            at[level, WEIGHT] /= total
        running /= total
        full = law[most] / total if last == most else 0.0
        above = 0.0
        for n in range(last, -1, -1):
            above += law[n] / total
            if above > bounds[5]:
                peak = float(n)
                break
    utilisation = waiting = 0.0
    dp = p[DP]
    for level in range(LEVELS):
        row, here = table[level], at[level]
        held = rate * row[HELD] * row[STRETCH]
        util, squared = held / dp, row[HELD2] * row[STRETCH] ** 2
        queued = squared + uneven * (row[HELD] * row[STRETCH]) ** 2
        wait = rate * queued / (2.0 * max(1.0 - util, 1e-6) * dp**2)
        before = 0.0
        if uneven > 0.0:
            before = max(1.0 - util, 1e-6) * companions(held, uneven)
            wait += before * row[HELD] * row[STRETCH] / dp
        if dp > 1.0:
            wait += min(rate, 1.0 / max(row[HELD] * row[STRETCH], 1e-12)) * squared / 2.0 * (1.0 - 1.0 / dp)
        here[YIELD], here[UNEVEN] = p[MADE], uneven
        here[PROMPTS] = min(max(rate * (row[HELD] + row[BESIDE]), 1.0), dp)
        here[UTIL], here[WAIT] = util, wait
        here[TOGETHER] = wait * (1.0 + packed * min(util, 1.0))
        here[BUSY] = min(max(held + before / (1.0 + before), util, 1e-9), 1.0)
        utilisation += here[WEIGHT] * util
        waiting += here[WEIGHT] * (wait + row[OWN])
    waiting *= rate / dp
    mean = peak / dp * cache[0] + waiting * cache[2]
    variance = running / dp * max(cache[1] - cache[0] ** 2, 0.0) + waiting * cache[3]
    cached = mean + bounds[6] * math.sqrt(variance)
    return utilisation, (running if p[DECODES] > 0.0 else at[0, UTIL]), cached, full
