# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"

"""The elementwise functions of one value, as in `models.graph.ops.unary`."""

from __future__ import annotations

import math

import numpy as np

from solvers.search.jit import inlined
from solvers.search.layout import (
    ABSOLUTE,
    CEILING,
    LINEAR,
    POSITIVE_PART,
    POWER,
    POWER_BITS,
    POWER_EXCESS,
    POWER_EXPONENTS,
    PRESENCE,
    SQUARE,
)

__all__ = ["function"]

_TOLERANCE = 1e-9  # models.graph.ops.unary.TOLERANCE; tests compare the two
_MANTISSAS = 1 << POWER_BITS
_SHIFT = 52 - POWER_BITS
_BIAS = 1023
_ONE = _BIAS << 52
_FRACTION = (1 << 52) - 1
_SERIES = 3 + 2 * _MANTISSAS + 2 * POWER_EXPONENTS + 1  # where the series' coefficients are


@inlined
def _power(v, F, k):
    """``v ** p`` for v > 0 from the table at `k`: p, q, q^(1/p), (m^p, 1/m) by mantissa, 2^(ep), series.

    ``(m + d)^p = m^p (1 + d/m)^p`` with |d/m| < 2^-9: five terms of the series are exact to rounding.
    """
    bits = np.float64(v).view(np.int64)
    exponent = (bits >> 52) - _BIAS + POWER_EXPONENTS
    if exponent < 0 or exponent > 2 * POWER_EXPONENTS:
        return math.exp(F[k] * math.log(v))
    i = k + 3 + 2 * ((bits & _FRACTION) >> _SHIFT)
    m = np.int64((bits & _FRACTION) | _ONE).view(np.float64)
    c = k + _SERIES
    u = m * F[i + 1] - 1.0
    s = 1.0 + u * (F[c] + u * (F[c + 1] + u * (F[c + 2] + u * (F[c + 3] + u * F[c + 4]))))
    return F[i] * s * F[k + 3 + 2 * _MANTISSAS + exponent]


@inlined
def function(kind, v, F, k):
    """``f(v)``; `k` is where the function's own numbers start in `F`.

    Power: p and its table (`_power`). Power excess ``max(0, max(0, v)^p − q)``: the same. Piecewise linear:
    n, x[n], y[n].
    """
    if kind == POSITIVE_PART:
        return v if v > 0.0 else 0.0
    if kind == LINEAR:
        return v
    if kind in (POWER_EXCESS, POWER):
        if v <= (F[k + 2] if kind == POWER_EXCESS else 0.0):
            return 0.0
        return _power(v, F, k) - F[k + 1]
    if kind == ABSOLUTE:
        return abs(v)
    if kind == SQUARE:
        return v * v
    if kind == PRESENCE:
        return 1.0 if v > _TOLERANCE else 0.0
    if kind == CEILING:
        return math.ceil(v - _TOLERANCE) + 0.0
    n = int(F[k])
    low, high = 0, n - 2
    while low < high:  # the last piece that starts at or before v
        middle = (low + high + 1) // 2
        if F[k + 1 + middle] <= v:
            low = middle
        else:
            high = middle - 1
    x0, x1 = F[k + 1 + low], F[k + 2 + low]
    y0, y1 = F[k + 1 + n + low], F[k + 2 + n + low]
    return y0 + (y1 - y0) / (x1 - x0) * (v - x0)
