"""Random numbers on the host, fast: large arrays are filled from one pool."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["normal_numbers", "random_bytes"]

_POOL = 2**21 + 39  # odd, so that rows of a matrix do not repeat in step


@cache
def _pool() -> NDArray[np.float32]:
    return np.random.default_rng(20_261_120).standard_normal(_POOL, dtype=np.float32)


def normal_numbers(shape: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    """Normal numbers, float32 of this shape, in memory of their own.

    Drawing a weight matrix anew takes far longer than multiplying it; timings only need data that is not
    constant and not shared, so the pool is repeated from an offset that depends on the seed.
    """
    pool = _pool()
    count = int(np.prod(shape))
    out = np.empty(count, dtype=np.float32)
    start = (seed * 7919) % _POOL
    done = 0
    while done < count:
        piece = pool[start : start + count - done]
        out[done : done + piece.size] = piece
        done += piece.size
        start = 0
    return out.reshape(shape)


def random_bytes(count: int, seed: int) -> NDArray[np.uint8]:
    """Bytes of normal numbers, uint8[count], in memory of their own: nothing that compresses to nothing."""
    return normal_numbers((-(-count // 4),), seed).view(np.uint8)[:count]
