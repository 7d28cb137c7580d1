# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"

"""The elementwise functions of one value, as in `models.graph.ops.unary`."""

from __future__ import annotations

import math

from solvers.search.jit import inlined
from solvers.search.layout import (
    ABSOLUTE,
    CEILING,
    LINEAR,
    POSITIVE_PART,
    POWER,
    POWER_EXCESS,
    PRESENCE,
    SQUARE,
)

__all__ = ["function"]

_TOLERANCE = 1e-9  # models.graph.ops.unary.TOLERANCE; tests compare the two


@inlined
def function(kind, v, knots, k):
    """``f(v)``; `k` is where the function's own numbers start in `knots`.

    Power: the exponent p. Power excess ``max(0, max(0, v)^p − q)``: p, q, q^(1/p). Piecewise linear: n,
    x[n], y[n].
    """
    if kind == POSITIVE_PART:
        return v if v > 0.0 else 0.0
    if kind == LINEAR:
        return v
    if kind == POWER_EXCESS:
        return math.exp(knots[k] * math.log(v)) - knots[k + 1] if v > knots[k + 2] else 0.0
    if kind == POWER:
        return math.exp(knots[k] * math.log(v)) if v > 0.0 else 0.0
    if kind == ABSOLUTE:
        return abs(v)
    if kind == SQUARE:
        return v * v
    if kind == PRESENCE:
        return 1.0 if v > _TOLERANCE else 0.0
    if kind == CEILING:
        return math.ceil(v - _TOLERANCE) + 0.0
    n = int(knots[k])
    low, high = 0, n - 2
    while low < high:  # the last piece that starts at or before v
        middle = (low + high + 1) // 2
        if knots[k + 1 + middle] <= v:
            low = middle
        else:
            high = middle - 1
    x0, x1 = knots[k + 1 + low], knots[k + 2 + low]
    y0, y1 = knots[k + 1 + n + low], knots[k + 2 + n + low]
    return y0 + (y1 - y0) / (x1 - x0) * (v - x0)
