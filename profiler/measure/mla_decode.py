"""Latent attention in its absorbed form: every head reads one shared latent per token."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from models.profiles.columns import DTYPES
from profiler.devices.device import Device, rotations
from profiler.job import Job, Point
from profiler.measure.attention_decode import decode_rows
from profiler.measurement import Measurement, number
from profiler.shapes import shapes_of
from profiler.space import Request, Space, Unmeasurable

__all__ = ["MEASUREMENTS"]


class MlaDecode(Measurement):
    """Two batched products and a softmax over the latent cache; the value is the first part of the latent.

    Engines have fused kernels (FlashMLA) that read the latent once; unfused it is read twice, so this is
    an upper bound where such a kernel is used, and the kernel is named accordingly.
    """

    operation = "mla_decode"

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """Batches and cache lengths of decoding, head counts of the models with latent attention."""
        latent = shapes_of(request).latent
        if not latent:
            reason = "none of the models has latent attention"
            yield Unmeasurable(operation="mla_decode", what="all", reason=reason)
            return
        rows = [
            {**row, "num_heads": h, "head_dim": d, "value_dim": v}
            for h, d, v in latent
            for row in decode_rows(request)
        ]
        if "fp8" in device.formats and request.wants(["fp8"]):
            reason = "batched products do not read fp8; engines' fused kernels are not measured"
            yield Unmeasurable(operation="mla_decode", what="fp8 cache", reason=reason)
        for dtype in request.wants(f for f in device.formats if f in {"bf16", "fp16", "fp32"}):
            labels = {"library": device.library, "dtype": dtype, "kv_dtype": dtype}
            yield Space.of("mla_decode", labels, rows)

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """Unfused, from batched products."""
        b, n, h, d, v = number(point, "batch_size", "kv_len", "num_heads", "head_dim", "value_dim")
        dtype = str(point["dtype"])
        copies = rotations(device, DTYPES[dtype] * b * n * d)
        q = device.random((b, h, d), dtype, seed)
        calls = tuple(_call(device, dtype, q, (b, n, d, v), seed + i) for i in range(copies))
        return Job(calls=calls, kernel="two batched products and a softmax, not fused")


def _call(
    device: Device, dtype: str, q: Any, size: tuple[int, int, int, int], seed: int
) -> Callable[[], object]:
    b, n, d, v = size
    latent = device.random((b, n, d), dtype, seed + 1)
    scale = d**-0.5
    torch: Any = device.torch
    if torch is None:

        def on_numpy() -> Any:
            scores = q @ latent.swapaxes(-1, -2) * scale
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=-1, keepdims=True)
            return scores @ latent[..., :v]

        return on_numpy

    def on_torch() -> Any:
        scores = torch.softmax(torch.bmm(q, latent.transpose(1, 2)) * scale, dim=-1)
        return torch.bmm(scores, latent[..., :v])

    return on_torch


MEASUREMENTS = (MlaDecode(),)
