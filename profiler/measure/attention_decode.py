"""Attention of one new token a sequence over its cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from models.profiles.columns import DTYPES
from profiler.attention_kernels import AttentionShape, KernelChoice, supported_windows
from profiler.devices.device import Device, rotations
from profiler.job import Job, Point
from profiler.measure.attention_prefill import head_shape
from profiler.measurement import Measurement, number
from profiler.shapes import shapes_of
from profiler.space import Request, Space, Unmeasurable

__all__ = ["MEASUREMENTS", "decode_rows"]

_MOST_CACHED_TOKENS = 4 * 1024**2


def decode_rows(request: Request) -> list[dict[str, float]]:
    """Batches and cache lengths worth measuring: at most four million cached tokens in all."""
    batches = sorted({1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512})
    return [
        {"batch_size": b, "kv_len": n}
        for b in batches
        for n in (2**e for e in range(4, 18))
        if b <= request.max_batch_size and n <= request.max_context_tokens and b * n <= _MOST_CACHED_TOKENS
    ]


class AttentionDecode(Measurement):
    """All sequences have the same length; the cache is contiguous."""

    operation = "attention_decode"

    def __init__(self) -> None:
        self._kernels = KernelChoice()

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """Batches up to `max_batch_size`, caches of 16 to `max_context_tokens` tokens."""
        shapes, missing = supported_windows(device, shapes_of(request).attention)
        if missing:
            yield Unmeasurable(operation="attention_decode", what="sliding windows", reason=missing)
        heads = [head_shape(*h) for h in shapes]
        rows = [{**row, "query_len": 1, **head} for head in heads for row in decode_rows(request)]
        for dtype in request.wants(f for f in device.formats if f in {"bf16", "fp16", "fp32"}):
            labels = {"library": device.library, "dtype": dtype, "kv_dtype": dtype}
            yield Space.of("attention_decode", labels, rows)

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """The fastest kernel installed."""
        b, n, q = number(point, "batch_size", "kv_len", "query_len")
        heads, kv_heads, d, window = number(point, "num_heads", "num_kv_heads", "head_dim", "window_size")
        dtype = str(point["dtype"])
        shape = AttentionShape(
            batch_size=b, query_len=q, kv_len=n, heads=heads, kv_heads=kv_heads, head_dim=d, window=window
        )
        copies = rotations(device, DTYPES[dtype] * b * d * (heads + 2 * kv_heads * n), most=8)
        if device.torch is None:
            calls = tuple(_numpy(shape, device, seed + i) for i in range(copies))
            return Job(calls=calls, kernel="numpy, batched")
        name, build = self._kernels.best(device, shape, dtype)
        return Job(calls=tuple(build(shape, device, dtype, seed + i) for i in range(copies)), kernel=name)


def _numpy(shape: AttentionShape, device: Device, seed: int) -> Callable[[], object]:
    s = shape
    seen = min(s.kv_len, s.window) if s.window else s.kv_len
    q = device.random((s.batch_size, s.kv_heads, s.heads // s.kv_heads, s.head_dim), "fp32", seed)
    k = device.random((s.batch_size, s.kv_heads, s.kv_len, s.head_dim), "fp32", seed + 1)[:, :, -seen:]
    v = device.random((s.batch_size, s.kv_heads, s.kv_len, s.head_dim), "fp32", seed + 2)[:, :, -seen:]

    def run() -> Any:
        scores = q @ k.swapaxes(-1, -2) * (s.head_dim**-0.5)
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        return scores @ v

    return run


MEASUREMENTS = (AttentionDecode(),)
