"""Causal attention over new tokens, with or without tokens already in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from models.profiles.columns import DTYPES
from profiler.attention_kernels import AttentionShape, KernelChoice, supported_windows
from profiler.devices.device import Device, rotations
from profiler.job import Job, Point
from profiler.measurement import Measurement, number
from profiler.shapes import shapes_of
from profiler.space import Request, Space, Unmeasurable

__all__ = ["MEASUREMENTS", "head_shape"]


def head_shape(heads: int, kv_heads: int, head_dim: int, window: int) -> dict[str, float]:
    """The axes of a grouped-query head shape."""
    return {
        "num_heads": heads,
        "num_kv_heads": kv_heads,
        "head_dim": head_dim,
        "value_dim": head_dim,
        "window_size": window,
    }


class AttentionPrefill(Measurement):
    """Q, K and V of a batch of sequences; the last `query_len` tokens of each are queries."""

    operation = "attention_prefill"

    def __init__(self) -> None:
        self._kernels = KernelChoice()

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """Batches of 1 to 16, 16 to `max_tokens` new tokens, no to 64k cached ones."""
        shapes, missing = supported_windows(device, shapes_of(request).attention)
        if missing:
            yield Unmeasurable(operation="attention_prefill", what="sliding windows", reason=missing)
        heads = [head_shape(*h) for h in shapes]
        lengths = [2**e for e in range(4, 18)]
        rows = [
            {"batch_size": b, "query_len": q, "prefix_len": p, **head}
            for head in heads
            for b in (1, 2, 4, 8, 16)
            for q in lengths
            for p in (0, 1024, 4096, 16_384, 65_536)
            if b * q <= request.max_tokens and q + p <= request.max_context_tokens
        ]
        for dtype in request.wants(f for f in device.formats if f in {"bf16", "fp16", "fp32"}):
            labels = {"library": device.library, "dtype": dtype, "kv_dtype": dtype}
            yield Space.of("attention_prefill", labels, rows)

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """The fastest kernel installed."""
        b, q, p = number(point, "batch_size", "query_len", "prefix_len")
        heads, kv_heads, d, window = number(point, "num_heads", "num_kv_heads", "head_dim", "window_size")
        dtype = str(point["dtype"])
        shape = AttentionShape(
            batch_size=b, query_len=q, kv_len=p + q, heads=heads, kv_heads=kv_heads, head_dim=d, window=window
        )
        copies = rotations(device, DTYPES[dtype] * b * d * (heads * q + 2 * kv_heads * (p + q)), most=8)
        if device.torch is None:
            calls = tuple(_numpy(shape, device, seed + i) for i in range(copies))
            return Job(calls=calls, kernel="numpy, one head after the other")
        name, build = self._kernels.best(device, shape, dtype)
        return Job(calls=tuple(build(shape, device, dtype, seed + i) for i in range(copies)), kernel=name)


def _numpy(shape: AttentionShape, device: Device, seed: int) -> Callable[[], object]:
    s = shape
    q = device.random((s.batch_size, s.heads, s.query_len, s.head_dim), "fp32", seed)
    k = device.random((s.batch_size, s.kv_heads, s.kv_len, s.head_dim), "fp32", seed + 1)
    v = device.random((s.batch_size, s.kv_heads, s.kv_len, s.head_dim), "fp32", seed + 2)
    group = s.heads // s.kv_heads
    position = np.arange(s.kv_len)[None, :] - np.arange(s.kv_len - s.query_len, s.kv_len)[:, None]
    hidden = position > 0
    if s.window:
        hidden |= position <= -s.window

    def run() -> Any:
        out = np.empty_like(q)
        for batch in range(s.batch_size):
            for head in range(s.heads):
                scores = q[batch, head] @ k[batch, head // group].T * (s.head_dim**-0.5)
                scores[hidden] = -np.inf
                scores -= scores.max(axis=1, keepdims=True)
                np.exp(scores, out=scores)
                scores /= scores.sum(axis=1, keepdims=True)
                np.matmul(scores, v[batch, head // group], out=out[batch, head])
        return out

    return run


MEASUREMENTS = (AttentionPrefill(),)
