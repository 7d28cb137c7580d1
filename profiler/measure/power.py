"""Power drawn while idle and under steady loads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from models.errors import Unsupported
from profiler.devices.device import Device
from profiler.job import Job, Point
from profiler.measurement import Measurement, Sampled
from profiler.space import Request, Space, Unmeasurable
from profiler.timing import Effort

__all__ = ["MEASUREMENTS"]

_RAPL = Path("/sys/class/powercap/intel-rapl:0/energy_uj")
_SETTLE_SECONDS = {"cpu": 0.5, "cuda": 2.0}
"""NVML's power is an average over the last second, from Ampere on."""
_SAMPLE_SECONDS = 0.1


class Power(Measurement):
    """Board power from NVML, package power from RAPL on a CPU; sampled ten times a second once it has
    settled.
    """

    operation = "power"

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """Idle, products, memory streams."""
        del request
        try:
            self._watts(device)
        except Unsupported as error:
            yield Unmeasurable(operation="power", what="all", reason=error.message)
            return
        for load in ("idle", "gemm", "hbm"):
            yield Space("power", {"library": device.library, "load": load}, np.zeros((1, 0)))

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """The load."""
        if point["load"] == "gemm":
            size = 8192 if device.kind == "cuda" else 1024
            a = device.random((size, size), device.formats[0], seed)
            return Job(calls=(lambda: a @ a,), kernel="matmul")
        data = device.random((2**28 if device.kind == "cuda" else 2**25,), "fp32", seed)
        return Job(calls=(lambda: data + 1.0,), kernel="add")

    def measure(self, device: Device, point: Point, effort: Effort, seed: int) -> Sampled:
        """Watts while the load runs."""
        run: Callable[[], object] = lambda: time.sleep(0.02)  # noqa: E731
        kernel = "nothing"
        if point["load"] != "idle":
            job = self.job(device, point, seed)
            run, kernel = job.calls[0], job.kernel
        self._run_for(device, run, _SETTLE_SECONDS[device.kind])
        samples = []
        for _ in range(max(effort.fewest, min(effort.samples, 20))):
            read = self._watts(device)
            self._run_for(device, run, _SAMPLE_SECONDS)
            samples.append(read())
        return Sampled(np.asarray(samples, dtype=np.float64), kernel)

    @staticmethod
    def _run_for(device: Device, run: Callable[[], object], seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for _ in range(4):
                run()
            if device.kind == "cuda":
                device.torch.cuda.synchronize()

    @staticmethod
    def _watts(device: Device) -> Callable[[], float]:
        """A meter started now: called, it gives the power since then (CPU) or at that moment (GPU)."""
        if device.kind == "cuda":
            if not device.observe().power_watts > 0:
                raise Unsupported("NVML does not report this card's power")
            return lambda: device.observe().power_watts
        try:
            joules, begin = int(_RAPL.read_text(encoding="ascii")) * 1e-6, time.perf_counter()
        except (OSError, ValueError) as error:
            raise Unsupported(f"the CPU's energy counter cannot be read: {error}") from error

        def read() -> float:
            spent = int(_RAPL.read_text(encoding="ascii")) * 1e-6 - joules
            return spent / (time.perf_counter() - begin)

        return read


MEASUREMENTS = (Power(),)
