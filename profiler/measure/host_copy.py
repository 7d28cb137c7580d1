"""Copies between host and device memory: weights coming in, KV cache going out and back."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from profiler.devices.device import Device, rotations
from profiler.host_numbers import random_bytes
from profiler.job import Job, Point
from profiler.measurement import Measurement, number
from profiler.space import Request, Space, Unmeasurable

__all__ = ["MEASUREMENTS"]


class HostCopy(Measurement):
    """Pinned, pageable and shared (between processes) host memory. On a CPU, "device" is ordinary memory."""

    operation = "host_copy"

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """4 KiB to 1 GiB."""
        del request
        rows = [{"size_bytes": 2**e} for e in range(12, 31) if 2**e * 16 <= device.free_bytes()]
        for memory in ("pinned", "pageable", "shared"):
            if memory == "pinned" and device.kind != "cuda":
                yield Unmeasurable(
                    operation="host_copy", what=memory, reason="only a GPU needs pinned memory"
                )
                continue
            for direction in ("h2d", "d2h"):
                labels = {"library": device.library, "direction": direction, "memory": memory}
                yield Space.of("host_copy", labels, rows)

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """One buffer across."""
        (size,) = number(point, "size_bytes")
        memory, direction = str(point["memory"]), str(point["direction"])
        copies = min(4, rotations(device, size))
        calls = tuple(self._call(device, memory, direction, size, seed + i) for i in range(copies))
        return Job(calls=calls, kernel="copy", graph=False)

    def _call(
        self, device: Device, memory: str, direction: str, size: int, seed: int
    ) -> Callable[[], object]:
        random = random_bytes(size, seed)
        host = random
        if memory == "shared":
            # Anonymous shared pages are what /dev/shm hands out, and are gone with the last array on them.
            host = np.frombuffer(mmap.mmap(-1, size), dtype=np.uint8)
            host[:] = random
        torch: Any = device.torch
        if torch is None or device.kind == "cpu":
            near = random.copy()
            source, target = (host, near) if direction == "h2d" else (near, host)
            return lambda: np.copyto(target, source)
        there = torch.from_numpy(random).to(device.place)
        here = torch.from_numpy(host)
        if memory == "pinned":
            here = here.pin_memory()
        first, last = (here, there) if direction == "h2d" else (there, here)
        return lambda: last.copy_(first, non_blocking=True)


MEASUREMENTS = (HostCopy(),)
