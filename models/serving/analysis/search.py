"""The highest rate within the limits, and the latencies there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from models.serving.analysis.columns import (
    BUDGET,
    DECODES,
    DP,
    GRID,
    HELD,
    LEVEL,
    LEVELS,
    MU,
    PREFILLS,
    ROOM,
    SEQS,
)
from models.serving.analysis.levels import population, tabulate
from models.serving.analysis.shares import tpot_share, ttft_share
from models.serving.analysis.state import state_at
from models.serving.compiled import compiled

__all__ = ["analyse"]

_LOW, _HIGH, _AT_LOW, _X0, _F0, _X1, _F1, _STALLED = range(8)
"""What a search knows: its bracket and the value at its lower end, the last two points with their values, and
how often it was not halved."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@compiled
def _depth(share: float) -> Any:
    """The logarithm of what misses: near linear in the limit, where tails are exponential."""
    return -math.log(max(1.0 - share, 1e-11))


@compiled
def _begin(seek: Floats, low: float, at_low: float, high: float, at_high: float) -> None:
    """Begin to look for two neighbours of the grid between which a value changes its sign."""
    seek[_LOW], seek[_HIGH], seek[_AT_LOW], seek[_STALLED] = low, high, at_low, 0.0
    seek[_X0], seek[_F0], seek[_X1], seek[_F1] = low, at_low, high, at_high


@compiled
def _next(seek: Floats) -> Any:
    """Where to look: the secant through the last two points, or the middle when that does not help."""
    low, high = seek[_LOW], seek[_HIGH]
    rise = seek[_F1] - seek[_F0]
    if seek[_STALLED] < 2.0 and rise != 0.0:
        guess = seek[_X1] - seek[_F1] * (seek[_X1] - seek[_X0]) / rise
        if low < guess < high:
            return min(max(math.floor(guess), low + 1.0), high - 1.0)
    return math.floor((low + high) / 2.0)


@compiled
def _note(seek: Floats, at: float, value: float, beyond: bool) -> None:
    """Note a value; the sign changes `beyond` it or before."""
    wide = seek[_HIGH] - seek[_LOW]
    if beyond:
        # level ground before a step: secants are of no use
        flat = abs(value - seek[_AT_LOW]) < 1e-9
        seek[_LOW], seek[_AT_LOW] = at, value
    else:
        flat = False
        seek[_HIGH] = at
    seek[_X0], seek[_F0] = seek[_X1], seek[_F1]
    seek[_X1], seek[_F1] = at, value
    halved = 2.0 * (seek[_HIGH] - seek[_LOW]) <= wide
    seek[_STALLED] = max(seek[_STALLED] + (-1.0 if halved else 1.0), 0.0) + (100.0 if flat else 0.0)


@compiled
def _latency(
    tpot: bool, target: float, wanted: float, rate: float, points: Any, made: Any, seek: Floats
) -> Any:
    """The least latency that a share `wanted` keeps, searched from the target: see `operating.latencies`."""
    deep = _depth(wanted)
    base, top, below, doublings = 0.0, target, -deep, 0
    share = tpot_share(top, rate, points, made) if tpot else ttft_share(top, points, made)
    while share < wanted and doublings < 60:
        base, top, below, doublings = top, top * 2.0, _depth(share) - deep, doublings + 1
        share = tpot_share(top, rate, points, made) if tpot else ttft_share(top, points, made)
    _begin(seek, 0.0, below, float(GRID), _depth(share) - deep)
    while seek[_HIGH] - seek[_LOW] > 1.0:
        at = _next(seek)
        limit = base + (top - base) * (at / GRID)
        share = tpot_share(limit, rate, points, made) if tpot else ttft_share(limit, points, made)
        _note(seek, at, _depth(share) - deep, share < wanted)
    return base + (top - base) * (seek[_HIGH] / GRID)


@compiled
def _judge(
    rate: float, p: Floats, state: Any, points: Any, bounds: Floats, made: Any, every: bool, out: Floats
) -> Any:
    """The first limit broken, in the order of `operating.Bounds` (5: none), and how far away the next is.

    Latencies are looked at when nothing else is broken, or at `every` call, and then noted in `out`.
    """
    utilisation, _, cached, full = state
    limit, slack = 5, bounds[4] - utilisation
    if slack < 0.0:
        limit = 0
    elif not cached <= p[ROOM]:
        limit = 1
    elif p[DECODES] > 0.0 and full > bounds[5]:
        limit = 2
    slack = min(slack, math.log(max(p[ROOM], 1.0) / max(cached, 1.0)))
    if p[DECODES] > 0.0:
        slack = min(slack, -0.1 * math.log(max(full / bounds[5], 1e-4)))
    for tpot in (False, True):
        if p[DECODES if tpot else PREFILLS] == 0.0 or not (every or limit == 5):
            continue
        wanted = bounds[3 if tpot else 1]
        share = tpot_share(bounds[2], rate, points, made) if tpot else ttft_share(bounds[0], points, made)
        if every:
            out[9 if tpot else 8] = 1.0 if share >= wanted else 0.0
        if limit == 5 and share < wanted:
            limit = 4 if tpot else 3
        slack = min(slack, 0.1 * (_depth(share) - _depth(wanted)))
    return limit, slack


@compiled
def analyse(
    parameters: Floats, curve_of: Ints, cache_of: Ints, tokens: Floats, linear: Floats, experts: Floats,
    head: Floats, send: Floats, prompt_attention: Floats, batches: Floats, attention: Floats, caches: Floats,
    points: Any, mean_steps: float, mean_input: float, bounds: Floats, result: Floats, laws: Any, made: Any,
    seek: Floats,
) -> None:  # fmt: skip
    """Fill `result` (columns `analysis.RESULTS`) for every row of `parameters`.

    `curve_of` and `cache_of` say which of the curves and caches (E[cache], E[cache²] of a running request and
    of a waiting prompt) a row has. `bounds`: TTFT target, share wanted of it, TPOT target, its share, highest
    utilisation, the probability that counts as rare, standard deviations kept free in memory, squared
    coefficient of variation of the gaps between arrivals less 1, arrivals per ms in all. `laws`, `made` and
    `seek` are for its own use (`table.scratch`).
    """
    for row in range(parameters.shape[0]):
        p, c, cache, out = parameters[row], curve_of[row], caches[cache_of[row]], result[row]
        decodes = p[DECODES] > 0.0
        curve = (
            tokens, linear[c], experts[c], head[c], send[c], prompt_attention[c], batches, attention[c],
        )  # fmt: skip
        for level in range(LEVELS):
            share = 0.0 if level == 0 else 10.0 ** (-3.0 + 3.0 * (level - 1) / (LEVELS - 2))
            made[0][level, LEVEL] = round(p[SEQS] * share * 1e6) / 1e6 if decodes else 0.0
        tabulate(p, curve, points, mean_steps, made)
        top = p[DP] / max(made[0][0, HELD], 1e-12)
        if decodes:
            top = 0.0
            for level in range(LEVELS):
                top = max(top, made[0][level, MU])
            population(p, made[0], laws[0], laws[1])
        top *= bounds[4]
        packed = min(max(p[BUDGET] / mean_input - 1.0, 0.0), 1.0)
        out[7], out[8], out[9] = 5.0, 1.0, 1.0
        rate = max(top * 1e-9, 1e-15)
        state = state_at(rate, p, cache, laws, packed, bounds, made)
        limit, alone = _judge(rate, p, state, points, bounds, made, True, out)
        out[0] = 1.0 if limit == 5 and p[ROOM] > 0.0 else 0.0
        if out[0] > 0.0:
            at = GRID - 1.0
            _begin(seek, 0.0, max(alone, 1e-9), float(GRID), 0.0)
            while True:
                rate = max(top * (at / GRID), 1e-15)
                state = state_at(rate, p, cache, laws, packed, bounds, made)
                limit, slack = _judge(rate, p, state, points, bounds, made, False, out)
                _note(seek, at, slack, limit == 5)
                out[7] = out[7] if limit == 5 else float(limit)
                if seek[_X0] == GRID:  # the first look: the other point is the one of a request alone
                    seek[_X0], seek[_F0] = 0.0, max(alone, 1e-9)
                if seek[_HIGH] - seek[_LOW] <= 1.0:
                    break
                at = _next(seek)
            if at != seek[_LOW]:
                rate = max(top * (seek[_LOW] / GRID), 1e-15)
                state = state_at(rate, p, cache, laws, packed, bounds, made)
        out[1], out[4], out[5], out[6] = rate * 1e3, state[1], state[2], state[0]
        if p[PREFILLS] > 0.0:
            out[2] = _latency(False, bounds[0], bounds[1], rate, points, made, seek)
        if decodes:
            out[3] = _latency(True, bounds[2], bounds[3], rate, points, made, seek)
