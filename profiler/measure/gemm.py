"""Matrix products with the weight shapes of real models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from models.errors import Unsupported
from models.profiles.columns import DTYPES
from profiler.devices.device import Device, rotations
from profiler.job import Job, Point
from profiler.measurement import Measurement, number
from profiler.shapes import shapes_of
from profiler.space import Request, Space, Unmeasurable

__all__ = ["MEASUREMENTS", "token_counts"]


def token_counts(most: int) -> list[int]:
    """1 to `most`, two to an octave: 1, 2, 3, 4, 6, 8, 12, …"""
    return sorted({n for e in range(18) for n in (2**e, 3 * 2**e // 2) if 1 <= n <= most})


class Gemm(Measurement):
    """C = A · B with B stored as a linear layer stores it."""

    operation = "gemm"

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """Every (n, k) of the models' shards with 1 to `max_tokens` rows, per number format."""
        shapes = shapes_of(request).gemms
        tokens = token_counts(request.max_tokens)
        for dtype in request.wants(device.formats):
            rows = ({"m": m, "n": n, "k": k} for m in tokens for n, k in shapes)
            yield Space.of("gemm", {"library": device.library, "dtype": dtype}, rows)

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """A · B in the point's format."""
        m, n, k = number(point, "m", "n", "k")
        dtype = str(point["dtype"])
        width = DTYPES[dtype]
        copies = rotations(device, width * (n * k + m * k) + 2 * m * n)
        calls = [self._call(device, dtype, (m, n, k), seed + i) for i in range(copies)]
        return Job(calls=tuple(calls), kernel=_KERNELS.get(dtype, "matmul"))

    def _call(
        self, device: Device, dtype: str, size: tuple[int, int, int], seed: int
    ) -> Callable[[], object]:
        m, n, k = size
        a = device.random((m, k), dtype, seed)
        b = device.random((n, k), dtype, seed + 10_000)
        torch: Any = device.torch
        if torch is None:
            out = np.empty((m, n), dtype=np.float32)
            return lambda: np.matmul(a, b.T, out=out)
        if dtype == "fp8":
            one = torch.ones((), device=device.place)
            return lambda: torch._scaled_mm(a, b.t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16)
        if dtype == "int8":
            if m <= 16 or n % 8 or k % 8:
                raise Unsupported("torch._int_mm wants more than 16 rows and multiples of 8")
            return lambda: torch._int_mm(a, b.t())
        result = torch.empty((m, n), dtype=a.dtype, device=device.place)
        return lambda: torch.mm(a, b.t(), out=result)


_KERNELS = {"fp8": "torch._scaled_mm, one scale a tensor", "int8": "torch._int_mm"}

MEASUREMENTS = (Gemm(),)
