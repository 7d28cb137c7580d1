"""Cutting the KV cache of some tokens from one tensor parallelism to another, for a re-shard."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from models.profiles.columns import DTYPES
from profiler.devices.device import Device, rotations
from profiler.host_numbers import random_bytes
from profiler.job import Job, Point
from profiler.measurement import Measurement, number
from profiler.shapes import shapes_of
from profiler.space import Request, Space, Unmeasurable

__all__ = ["MEASUREMENTS"]


class KvRelayout(Measurement):
    """One rank's cache ``[layers, 2, tokens, heads, size]`` to pieces of contiguous heads, or pieces to
    one rank.

    From fewer to more ranks a rank's heads are cut into ``to_tp / from_tp`` pieces; from more to fewer as
    many pieces are joined. Both read and write the same bytes. `num_kv_heads` counts the heads of the
    wider side.
    """

    operation = "kv_relayout"

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """Caches of the models, every pair of tensor parallelisms that cuts heads."""
        pairs = [
            (a, b) for a in request.tensor_parallel_sizes for b in request.tensor_parallel_sizes if a != b
        ]
        rows = []
        for layers, heads, size in shapes_of(request).cache:
            for a, b in pairs:
                pieces = max(a, b) // min(a, b)
                if heads % pieces == 0:
                    rows += [
                        {
                            "num_tokens": 2**e,
                            "num_layers": layers,
                            "num_kv_heads": heads,
                            "head_dim": size,
                            "from_tp": a,
                            "to_tp": b,
                        }
                        for e in range(4, 16)
                    ]
        if not rows:
            reason = "no pair of the tensor parallelisms cuts the models' key-value heads"
            yield Unmeasurable(operation="kv_relayout", what="all", reason=reason)
            return
        places = ("device", "host") if device.kind == "cuda" else ("host",)
        for dtype in request.wants(f for f in device.formats if f in {"bf16", "fp16", "fp32"}):
            for place in places:
                labels = {"library": device.library, "dtype": dtype, "place": place}
                yield Space.of("kv_relayout", labels, rows)

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """A strided copy."""
        tokens, layers, heads, size = number(point, "num_tokens", "num_layers", "num_kv_heads", "head_dim")
        a, b = number(point, "from_tp", "to_tp")
        dtype = str(point["dtype"])
        on_host = point["place"] == "host"
        call_bytes = 4.0 * layers * tokens * heads * size * DTYPES[dtype]
        copies = rotations(device, call_bytes, most=4)
        shape = (layers, 2, tokens, heads, size)
        pieces = max(a, b) // min(a, b)
        calls = tuple(
            _call(device, dtype, shape, pieces, seed + i, split=b > a, on_host=on_host) for i in range(copies)
        )
        return Job(calls=calls, kernel="strided copy", graph=not on_host)


def _call(
    device: Device,
    dtype: str,
    shape: tuple[int, int, int, int, int],
    pieces: int,
    seed: int,
    *,
    split: bool,
    on_host: bool,
) -> Callable[[], object]:
    layers, two, tokens, heads, size = shape
    cut = (layers, two, tokens, pieces, heads // pieces, size)
    if device.torch is None or on_host:
        # On the host only bytes matter, not the number format.
        row = (*cut[:-1], int(size * DTYPES[dtype]))
        raw = random_bytes(int(np.prod(row)), seed).reshape(row)
        by_rank = np.ascontiguousarray(np.moveaxis(raw, 3, 0))
        if split:
            return lambda: np.copyto(by_rank, np.moveaxis(raw, 3, 0))
        return lambda: np.copyto(np.moveaxis(raw, 3, 0), by_rank)
    whole: Any = device.random(cut, dtype, seed)
    parts = whole.movedim(3, 0).contiguous()
    if split:
        return lambda: parts.copy_(whole.movedim(3, 0))
    return lambda: whole.movedim(3, 0).copy_(parts)


MEASUREMENTS = (KvRelayout(),)
