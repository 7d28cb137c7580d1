"""Attention in NumPy, with the same order of axes as PyTorch's: batch, heads, tokens, size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["numpy_attention"]


def numpy_attention(query_len: int, kv_len: int, window: int) -> Callable[[Any, Any, Any], Any]:
    """Attention of the last `query_len` of `kv_len` tokens; `window` 0 = all earlier tokens are seen."""
    if query_len == 1:
        return lambda q, k, v: _decode(q, k, v, min(kv_len, window) if window else kv_len)
    position = np.arange(kv_len)[None, :] - np.arange(kv_len - query_len, kv_len)[:, None]
    hidden = position > 0
    if window:
        hidden |= position <= -window
    return lambda q, k, v: _causal(q, k, v, hidden)


def _softmax(scores: Any) -> Any:
    """Over the last axis, in place."""
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores


def _decode(q: Any, k: Any, v: Any, seen: int) -> Any:
    """One query a sequence: the queries of a key-value head are the rows of one product."""
    batch, heads, _, size = q.shape
    grouped = q.reshape(batch, k.shape[1], heads // k.shape[1], size)
    scores = grouped @ k[:, :, -seen:].swapaxes(-1, -2)
    scores *= size**-0.5
    return (_softmax(scores) @ v[:, :, -seen:]).reshape(batch, heads, 1, size)


def _causal(q: Any, k: Any, v: Any, hidden: Any) -> Any:
    """One head after the other: the scores of all heads at once would not fit the cache."""
    group = q.shape[1] // k.shape[1]
    out = np.empty_like(q)
    for batch in range(q.shape[0]):
        for head in range(q.shape[1]):
            scores = q[batch, head] @ k[batch, head // group].T
            scores *= q.shape[3] ** -0.5
            scores[hidden] = -np.inf
            np.matmul(_softmax(scores), v[batch, head // group], out=out[batch, head])
    return out
