"""Attention of one new token a sequence over its cache."""

from __future__ import annotations

from collections.abc import Iterable

from models.profiles.columns import DTYPES
from profiler.attention_kernels import AttentionShape, KernelChoice, supported_windows
from profiler.devices.device import Device, rotations
from profiler.job import Job, Point
from profiler.measure.attention_prefill import attention_spaces, head_shape
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
    """All sequences have the same length. The cache is in the format of the queries, or in fp8 under bf16."""

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
        yield from attention_spaces("attention_decode", device, request, rows)

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """The fastest kernel installed."""
        b, n, q = number(point, "batch_size", "kv_len", "query_len")
        heads, kv_heads, d, window = number(point, "num_heads", "num_kv_heads", "head_dim", "window_size")
        shape = AttentionShape(
            batch_size=b,
            query_len=q,
            kv_len=n,
            heads=heads,
            kv_heads=kv_heads,
            head_dim=d,
            window=window,
            dtype=str(point["dtype"]),
            kv_dtype=str(point["kv_dtype"]),
        )
        copies = rotations(device, DTYPES[shape.kv_dtype] * b * d * 2 * kv_heads * n)
        kernel = self._kernels.best(device, shape)
        return Job(calls=kernel.calls(shape, device, seed, copies), kernel=kernel.name)


MEASUREMENTS = (AttentionDecode(),)
