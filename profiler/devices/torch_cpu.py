"""The CPU through PyTorch: the code that runs on a GPU, without one."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.profiles.manifest import DeviceInfo
from profiler.devices.device import Observation
from profiler.devices.host import (
    HostLoad,
    cpu_info,
    free_host_bytes,
    last_level_cache_bytes,
    time_on_host,
)
from profiler.devices.torch_tensors import import_torch, torch_dtype
from profiler.host_numbers import normal_numbers
from profiler.job import Job
from profiler.timing import Effort

__all__ = ["TorchCpu"]


class TorchCpu:
    """See `profiler.devices.device.Device`."""

    kind = "cpu"
    index = 0
    place = "cpu"
    formats: tuple[str, ...] = ("fp32", "bf16")

    def __init__(self) -> None:
        self.torch: Any = import_torch()
        self.torch.set_grad_enabled(False)
        self.library = f"torch-{self.torch.__version__}"
        self.cache_bytes = last_level_cache_bytes()
        self._load = HostLoad()

    def info(self) -> DeviceInfo:
        """The processor."""
        return cpu_info()

    def libraries(self) -> dict[str, str]:
        """Python and PyTorch."""
        return {"python": platform.python_version(), "torch": self.torch.__version__}

    def free_bytes(self) -> int:
        """Available memory."""
        return free_host_bytes()

    def random(self, shape: tuple[int, ...], dtype: str, seed: int) -> Any:
        """A tensor on the CPU."""
        return self.torch.from_numpy(normal_numbers(shape, seed)).to(torch_dtype(self.torch, dtype))

    def time(self, job: Job, effort: Effort) -> NDArray[np.float64]:
        """Microseconds per call."""
        return time_on_host(job, effort)

    def observe(self) -> Observation:
        """Who else is computing."""
        return self._load.observe()

    def release(self) -> None:
        """PyTorch's CPU allocator keeps nothing."""

    def require_usable(self) -> None:
        """A CPU that computes is usable."""
