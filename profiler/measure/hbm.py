"""Streams over device memory: what bandwidth a kernel really gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from profiler.devices.device import Device, rotations
from profiler.job import Job, Point
from profiler.measurement import Measurement, number
from profiler.space import Request, Space, Unmeasurable

__all__ = ["MEASUREMENTS"]


class Hbm(Measurement):
    """Read (sum), write (fill) and copy of one buffer. `size_bytes` is the buffer; a copy moves it twice."""

    operation = "hbm"

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """64 KiB to an eighth of the free memory, at most 4 GiB."""
        del request
        most = min(device.free_bytes() / 8, 4 * 1024**3)
        sizes = [{"size_bytes": 2**e} for e in range(16, 33) if 2**e <= most]
        for access in ("read", "write", "copy"):
            yield Space.of("hbm", {"library": device.library, "access": access}, sizes)

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """The stream over enough buffers to outrun the cache."""
        (size,) = number(point, "size_bytes")
        access = str(point["access"])
        copies = rotations(device, size)
        calls = tuple(self._call(device, access, size // 4, seed + i) for i in range(copies))
        return Job(calls=calls, kernel={"read": "sum", "write": "fill", "copy": "copy"}[access])

    def _call(self, device: Device, access: str, count: int, seed: int) -> Callable[[], object]:
        data: Any = device.random((count,), "fp32", seed)
        if access == "read":
            total: Callable[[], object] = data.sum
            return total
        target: Any = device.random((count,), "fp32", seed + 1)
        if access == "write":
            return (lambda: target.fill(1.5)) if device.torch is None else (lambda: target.fill_(1.5))
        if device.torch is None:
            return lambda: target.__setitem__(slice(None), data)
        return lambda: target.copy_(data)


MEASUREMENTS = (Hbm(),)
