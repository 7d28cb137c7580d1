"""The CPU through NumPy: the device that is always there."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import Unsupported
from models.profiles.manifest import DeviceInfo
from profiler.devices.device import Observation
from profiler.devices.host import (
    HostLoad,
    cpu_info,
    free_host_bytes,
    last_level_cache_bytes,
    time_on_host,
)
from profiler.host_numbers import normal_numbers
from profiler.job import Job
from profiler.timing import Effort

__all__ = ["NumpyCpu"]


class NumpyCpu:
    """See `profiler.devices.device.Device`."""

    kind = "cpu"
    index = 0
    torch: Any = None
    place = "cpu"
    formats: tuple[str, ...] = ("fp32",)

    def __init__(self) -> None:
        self.library = f"numpy-{np.__version__}"
        self.cache_bytes = last_level_cache_bytes()
        self._load = HostLoad()

    def info(self) -> DeviceInfo:
        """The processor."""
        return cpu_info()

    def libraries(self) -> dict[str, str]:
        """Python, NumPy and its BLAS."""
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return {
            "python": platform.python_version(),
            "numpy": np.__version__,
            blas["name"]: str(blas["version"]),
        }

    def free_bytes(self) -> int:
        """Available memory."""
        return free_host_bytes()

    def random(self, shape: tuple[int, ...], dtype: str, seed: int) -> NDArray[np.float32]:
        """Normal numbers, float32; raises `Unsupported` for formats NumPy cannot multiply."""
        if dtype not in self.formats:
            raise Unsupported(f"NumPy does not compute in {dtype}")
        return normal_numbers(shape, seed)

    def time(self, job: Job, effort: Effort) -> NDArray[np.float64]:
        """Microseconds per call."""
        return time_on_host(job, effort)

    def observe(self) -> Observation:
        """Who else is computing."""
        return self._load.observe()

    def release(self) -> None:
        """Nothing is cached."""

    def require_usable(self) -> None:
        """A CPU that computes is usable."""
