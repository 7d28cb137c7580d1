"""Matrix products with the weight shapes of real models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from models.profiles.columns import DTYPES
from profiler.devices.device import Device, rotations
from profiler.job import Job, Point
from profiler.measurement import Measurement, number
from profiler.shapes import shapes_of
from profiler.small_kernels import small_kernels
from profiler.space import Request, Space, Unmeasurable

__all__ = ["MEASUREMENTS", "token_counts"]

_ALIGNED = {"fp8": 16, "int8": 8}
"""Format → what n and k must be multiples of: cuBLASLt's fp8 and int8 kernels take no other sizes."""
_FEWEST_INT8_ROWS = 17


def token_counts(most: int) -> list[int]:
    """1 to `most`, two to an octave: 1, 2, 3, 4, 6, 8, 12, …"""
    return sorted({n for e in range(18) for n in (2**e, 3 * 2**e // 2) if 1 <= n <= most})


class Gemm(Measurement):
    """C = A · B with B stored as a linear layer stores it.

    Weights come from memory, each call other ones; A is one tensor, for a model has just computed it.
    """

    operation = "gemm"

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """Every (n, k) of the models' shards with 1 to `max_tokens` rows, per number format."""
        shapes = shapes_of(request).gemms
        tokens = token_counts(request.max_tokens)
        for dtype in request.wants(device.formats):
            step = _ALIGNED.get(dtype, 1)
            fitting = [(n, k) for n, k in shapes if n % step == 0 and k % step == 0]
            if len(fitting) < len(shapes):
                what, reason = f"{dtype} shapes", f"its kernels want n and k in multiples of {step}"
                yield Unmeasurable(operation="gemm", what=what, reason=reason)
            rows = ({"m": m, "n": n, "k": k} for m in tokens for n, k in fitting)
            yield Space.of("gemm", {"library": device.library, "dtype": dtype}, rows)

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """A · B in the point's format."""
        m, n, k = number(point, "m", "n", "k")
        dtype = str(point["dtype"])
        copies = rotations(device, DTYPES[dtype] * n * k)
        rows = max(m, _FEWEST_INT8_ROWS) if dtype == "int8" else m
        a = device.random((rows, k), dtype, seed)
        multiply, kernel = _product(device, dtype)
        if rows > m:
            kernel += f", padded to {rows} rows"
        weights = (device.random((n, k), dtype, seed + 10_000 + i) for i in range(copies))
        return Job(calls=tuple(partial(multiply, a, b) for b in weights), kernel=kernel)


def _product(device: Device, dtype: str) -> tuple[Callable[[Any, Any], object], str]:
    """(a[m, k], b[n, k]) → a · bᵀ, and the kernel's name."""
    torch: Any = device.torch
    if torch is None or dtype not in _ALIGNED:
        return small_kernels(device).linear, "matmul"
    if dtype == "int8":
        return lambda a, b: torch._int_mm(a, b.t()), "torch._int_mm"
    one = torch.ones((), dtype=torch.float32, device=device.place)
    # Engines' fp8 products accumulate fast on Hopper; b.t() is the column-major right side that is asked for.
    options = {"scale_a": one, "scale_b": one, "out_dtype": torch.bfloat16, "use_fast_accum": True}
    return lambda a, b: torch._scaled_mm(a, b.t(), **options), "torch._scaled_mm, one scale a tensor"


MEASUREMENTS = (Gemm(),)
