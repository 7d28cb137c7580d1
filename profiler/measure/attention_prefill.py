"""Causal attention over new tokens, with or without tokens already in the cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from models.profiles.columns import DTYPES
from profiler.attention_kernels import AttentionShape, KernelChoice, fp8_cache_problem, supported_windows
from profiler.devices.device import Device, rotations
from profiler.job import Job, Point
from profiler.measurement import Measurement, number
from profiler.shapes import shapes_of
from profiler.space import Request, Space, Unmeasurable

__all__ = ["MEASUREMENTS", "attention_spaces", "head_shape"]


def head_shape(heads: int, kv_heads: int, head_dim: int, window: int) -> dict[str, float]:
    """The axes of a grouped-query head shape."""
    return {
        "num_heads": heads,
        "num_kv_heads": kv_heads,
        "head_dim": head_dim,
        "value_dim": head_dim,
        "window_size": window,
    }


def attention_spaces(
    operation: str, device: Device, request: Request, rows: Iterable[Mapping[str, float]]
) -> Iterator[Space | Unmeasurable]:
    """The points in every wide format of the device, and in bf16 over an fp8 cache where a kernel does it."""
    points = list(rows)
    plain = [f for f in device.formats if f in {"bf16", "fp16", "fp32"}]
    pairs = [(f, f) for f in request.wants(plain)]
    if {"bf16", "fp8"} <= set(device.formats) and request.wants(["fp8"]):
        reason = fp8_cache_problem(device)
        if reason:
            yield Unmeasurable(operation=operation, what="fp8 cache", reason=reason)
        else:
            pairs.append(("bf16", "fp8"))
    for dtype, kv_dtype in pairs:
        labels = {"library": device.library, "dtype": dtype, "kv_dtype": kv_dtype}
        yield Space.of(operation, labels, points)


class AttentionPrefill(Measurement):
    """Q, K and V of a batch of sequences; the last `query_len` tokens of each are queries.

    Queries, keys and values of the new tokens have just been computed by the model, so one set of inputs is
    used where nothing is cached; cached prefixes come from memory.
    """

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
        yield from attention_spaces("attention_prefill", device, request, rows)

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """The fastest kernel installed."""
        b, q, p = number(point, "batch_size", "query_len", "prefix_len")
        heads, kv_heads, d, window = number(point, "num_heads", "num_kv_heads", "head_dim", "window_size")
        shape = AttentionShape(
            batch_size=b,
            query_len=q,
            kv_len=p + q,
            heads=heads,
            kv_heads=kv_heads,
            head_dim=d,
            window=window,
            dtype=str(point["dtype"]),
            kv_dtype=str(point["kv_dtype"]),
        )
        cache_bytes = DTYPES[shape.kv_dtype] * b * d * 2 * kv_heads * (p + q)
        copies = rotations(device, cache_bytes) if p else 1
        kernel = self._kernels.best(device, shape)
        return Job(calls=kernel.calls(shape, device, seed, copies), kernel=kernel.name)


MEASUREMENTS = (AttentionPrefill(),)
