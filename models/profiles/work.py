"""How much arithmetic and memory traffic a point needs: FLOP and bytes per operation.

These are the counts an ideal kernel cannot avoid (weights, inputs and outputs move once). They are not a
latency: the interpolator divides a measured latency by a reference built from them, so only ratios
between points of one table matter, and a constant factor changes nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.profiles.columns import DTYPES, Columns, FloatArray

__all__ = ["Work", "element_bytes"]

Work = tuple[FloatArray, FloatArray]
"""(FLOP, bytes moved) per point, float64."""


def element_bytes(dtypes: NDArray[np.generic]) -> FloatArray:
    """Bytes per element for an array of number formats, float64; unknown formats are a ``KeyError``."""
    names, codes = np.unique(dtypes.astype(np.str_), return_inverse=True)
    return np.array([DTYPES[str(n)] for n in names], dtype=np.float64)[codes]


def _f(c: Columns, name: str) -> FloatArray:
    return np.asarray(c[name], dtype=np.float64)


def _activation_bytes(dtypes: NDArray[np.generic]) -> FloatArray:
    """Weight-only and 4-bit formats still move 16-bit activations."""
    return np.maximum(element_bytes(dtypes), 1.0)


def gemm(c: Columns) -> Work:
    """C[m, n] = A[m, k] · B[k, n]: 2mnk FLOP; A and B once in their format, C in 16 bit (32 for fp32)."""
    m, n, k = _f(c, "m"), _f(c, "n"), _f(c, "k")
    weight, activation = element_bytes(c["dtype"]), _activation_bytes(c["dtype"])
    return 2 * m * n * k, k * n * weight + m * k * activation + m * n * np.maximum(activation, 2.0)


def _attended(query: FloatArray, prefix: FloatArray, window: FloatArray) -> FloatArray:
    """Query-key pairs of causal attention: query i sees min(prefix + i, window) keys (window 0 = all)."""
    full = query * prefix + query * (query + 1) / 2
    w = np.where(window > 0, window, np.inf)
    # Queries before the window fills see a growing number of keys; the others see exactly w.
    growing = np.clip(w - prefix, 0.0, query)
    growing = np.where(np.isinf(w), query, growing)
    capped = (
        growing * prefix + growing * (growing + 1) / 2 + (query - growing) * np.where(np.isinf(w), 0.0, w)
    )
    return np.where(window > 0, np.minimum(capped, full), full)


def attention_prefill(c: Columns) -> Work:
    """Two batched matrix products over the attended pairs; Q, K, V in and the output out once."""
    b, q, p = _f(c, "batch_size"), _f(c, "query_len"), _f(c, "prefix_len")
    h, kv, d, w = _f(c, "num_heads"), _f(c, "num_kv_heads"), _f(c, "head_dim"), _f(c, "window_size")
    v = _f(c, "value_dim")
    flop = 2 * b * h * _attended(q, p, w) * (d + v)
    keys = np.where(w > 0, np.minimum(q + p, q + w), q + p)
    traffic = b * h * q * (d + v) * element_bytes(c["dtype"])
    return flop, traffic + b * keys * kv * (d + v) * element_bytes(c["kv_dtype"])


def attention_decode(c: Columns) -> Work:
    """One query per sequence (``query_len`` of them when speculating) against ``kv_len`` cached keys."""
    b, q, n = _f(c, "batch_size"), _f(c, "query_len"), _f(c, "kv_len")
    h, kv, d, w = _f(c, "num_heads"), _f(c, "num_kv_heads"), _f(c, "head_dim"), _f(c, "window_size")
    v = _f(c, "value_dim")
    keys = np.where(w > 0, np.minimum(n, w), n)
    cached = b * keys * kv * (d + v) * element_bytes(c["kv_dtype"])
    return 2 * b * h * q * keys * (d + v), cached + b * h * q * (d + v) * element_bytes(c["dtype"])


def mla_decode(c: Columns) -> Work:
    """Absorbed latent attention: every head reads one shared latent of ``head_dim`` per key."""
    b, n, h = _f(c, "batch_size"), _f(c, "kv_len"), _f(c, "num_heads")
    d, v = _f(c, "head_dim"), _f(c, "value_dim")
    return 2 * b * h * n * (d + v), b * n * d * element_bytes(c["kv_dtype"])


def module_prefill(c: Columns) -> Work:
    """A whole attention module (projections included): linear and quadratic in the new tokens."""
    b, q, p, h = _f(c, "batch_size"), _f(c, "query_len"), _f(c, "prefix_len"), _f(c, "num_heads")
    width = 128.0
    pairs = q * p + q * (q + 1) / 2
    return 2 * b * h * width * (2 * pairs + q * 7168.0), b * h * width * (q + p) + h * width * 7168.0


def module_decode(c: Columns) -> Work:
    """A whole attention module over one new token a sequence: cache traffic plus the weights once."""
    b, n, h = _f(c, "batch_size"), _f(c, "kv_len"), _f(c, "num_heads")
    return 2 * b * h * 128.0 * (7168.0 + 2 * n), b * n * 576.0 + h * 128.0 * 7168.0


def linear_attention(c: Columns) -> Work:
    """A recurrent layer's kernel: state traffic per sequence, activations per token."""
    b, s = _f(c, "batch_size"), _f(c, "seq_len")
    heads, key, value = _f(c, "num_value_heads"), _f(c, "key_dim"), _f(c, "value_dim")
    tokens = b * s
    return 4 * tokens * heads * key * value, 2 * (
        b * heads * key * value * 4 + 3 * tokens * heads * (key + value)
    )


def moe(c: Columns) -> Work:
    """Gate, up and down products of the routed experts on one rank; each touched expert's weights once."""
    t, h, i = _f(c, "num_tokens"), _f(c, "hidden_size"), _f(c, "inter_size")
    k, e = _f(c, "top_k"), _f(c, "num_experts")
    tp, ep = _f(c, "moe_tp_size"), _f(c, "moe_ep_size")
    routed = t * k / ep
    local = e / ep
    # Expected number of distinct experts hit by `routed` balanced draws.
    touched = local * -np.expm1(routed * np.log1p(-1.0 / np.maximum(local, 1.0 + 1e-9)))
    touched = np.where(local <= 1.0, 1.0, touched)
    weights = 3 * h * (i / tp) * element_bytes(c["dtype"])
    return 6 * routed * h * (i / tp), touched * weights + 2 * routed * h * 2.0


def bmm(c: Columns) -> Work:
    """``batch`` products of [m, k] · [k, n]."""
    b, m, n, k = _f(c, "batch"), _f(c, "m"), _f(c, "n"), _f(c, "k")
    return 2 * b * m * n * k, b * (m * k + k * n + m * n) * element_bytes(c["dtype"])


def message(c: Columns) -> Work:
    """Anything whose cost is its bytes; no arithmetic."""
    size = _f(c, "size_bytes")
    return np.zeros_like(size), size


def elementwise(c: Columns) -> Work:
    """Reads and writes ``num_tokens`` rows of ``width`` elements."""
    size = 2 * _f(c, "num_tokens") * _f(c, "width") * element_bytes(c["dtype"])
    return np.zeros_like(size), size


def launch(c: Columns) -> Work:
    """Kernels in a row; one "byte" each, so that the reference grows with their number."""
    count = _f(c, "num_kernels")
    return np.zeros_like(count), count


def kv_relayout(c: Columns) -> Work:
    """Keys and values of the tokens, read once and written once."""
    size = 4 * _f(c, "num_tokens") * _f(c, "num_layers") * _f(c, "num_kv_heads") * _f(c, "head_dim")
    return np.zeros_like(size), size * element_bytes(c["dtype"])


def sm_share(c: Columns) -> Work:
    """The work of the phase, divided by the share of the processors it may use."""
    tokens = _f(c, "num_tokens") / np.maximum(_f(c, "share"), 1e-3)
    return tokens, _f(c, "context_len") / np.maximum(_f(c, "share"), 1e-3)
