# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"

"""Random numbers with a state of our own, so that runs repeat across versions and threads."""

from __future__ import annotations

import numpy as np

from solvers.search.jit import inlined

__all__ = ["below", "next64"]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)


@inlined
def next64(rng):
    """64 random bits; `rng` is uint64[1] (splitmix64, Steele et al. 2014)."""
    rng[0] += _STEP
    z = rng[0]
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@inlined
def below(rng, n):
    """A random integer in 0..n-1, n < 2**32."""
    return np.int64(((next64(rng) >> _S32) * np.uint64(n)) >> _S32)
