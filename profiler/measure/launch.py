"""What launching a kernel costs, one by one and replayed as a graph."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from profiler.devices.device import Device
from profiler.job import Job, Point
from profiler.measurement import Measurement, Sampled, number
from profiler.space import Request, Space, Unmeasurable
from profiler.timing import Effort

__all__ = ["MEASUREMENTS"]


class Launch(Measurement):
    """A row of additions to 64 numbers: next to no work, so the time is launching."""

    operation = "launch"

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """1 to 1024 kernels."""
        del request
        rows = [{"num_kernels": 2**e} for e in range(11)]
        yield Space.of("launch", {"library": device.library, "mode": "eager"}, rows)
        if device.kind == "cuda":
            yield Space.of("launch", {"library": device.library, "mode": "graph"}, rows)
        else:
            yield Unmeasurable(operation="launch", what="graph", reason="CUDA graphs exist on GPUs only")

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """The row of kernels as one call."""
        (count,) = number(point, "num_kernels")
        x: Any = device.random((64,), "fp32", seed)

        def run() -> None:
            for _ in range(count):
                x.__iadd__(1.0)

        return Job(calls=(run,), kernel="add", graph=point["mode"] == "graph")

    def measure(self, device: Device, point: Point, effort: Effort, seed: int) -> Sampled:
        """Eager launches are timed on the host from first launch to completion; graphs as any other job."""
        job = self.job(device, point, seed)
        if job.graph or device.torch is None or device.kind != "cuda":
            return Sampled(device.time(job, effort), job.kernel)
        torch: Any = device.torch
        samples = []
        for turn in range(effort.samples + 3):
            torch.cuda.synchronize()
            before = time.perf_counter_ns()
            job.calls[0]()
            torch.cuda.synchronize()
            if turn >= 3:
                samples.append((time.perf_counter_ns() - before) * 1e-3)
        return Sampled(np.asarray(samples, dtype=np.float64), job.kernel)


MEASUREMENTS = (Launch(),)
