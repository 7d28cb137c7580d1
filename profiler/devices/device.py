"""What a measurement needs of a device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.profiles.manifest import DeviceInfo
from profiler.job import Job
from profiler.timing import Effort

__all__ = ["Device", "Observation", "rotations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """State of the device at one moment; NaN where it cannot be seen.

    Parameters
    ----------
    others
        What else is using the device, in words; empty when nothing is, or nothing can be seen.
    """

    sm_clock_mhz: float = float("nan")
    memory_clock_mhz: float = float("nan")
    temperature_c: float = float("nan")
    power_watts: float = float("nan")
    others: str = ""


class Device(Protocol):
    """One device and the library that drives it.

    Attributes
    ----------
    library
        Name and version of what runs the kernels: ``torch-2.13.0``, ``numpy-2.4.6``. Part of every
        point's key.
    torch
        The torch module, or None where NumPy does the work.
    place
        Device string for torch: ``cuda:0`` or ``cpu``.
    formats
        Number formats it can multiply.
    cache_bytes
        Last-level cache that repeated calls must not profit from.
    index
        Number of the device among its kind.
    """

    kind: str
    index: int
    library: str
    torch: Any
    place: str
    formats: tuple[str, ...]
    cache_bytes: int

    def info(self) -> DeviceInfo:
        """Name, driver, memory and limits, for the manifest."""
        ...

    def libraries(self) -> dict[str, str]:
        """Versions of the software involved."""
        ...

    def free_bytes(self) -> int:
        """Memory that can be allocated now."""
        ...

    def random(self, shape: tuple[int, ...], dtype: str, seed: int) -> Any:
        """A tensor of random numbers (never zeros: power and clocks depend on the data), native to the
        library.
        """
        ...

    def time(self, job: Job, effort: Effort) -> NDArray[np.float64]:
        """Microseconds per call, one entry a timing."""
        ...

    def observe(self) -> Observation:
        """Clocks, temperature, power and other users, now."""
        ...

    def release(self) -> None:
        """Give cached memory back."""
        ...

    def require_usable(self) -> None:
        """Do nothing while the device answers; raise `Unavailable` after a fault that ended its context."""
        ...


def rotations(device: Device, call_bytes: float, *, most: int = 64) -> int:
    """How many sets of what comes from memory (weights, caches) make sure that a set has left the cache when
    it comes round again.

    Bounded by `most` and by a quarter of the free memory; one set at least.
    """
    wanted = int(np.ceil(2 * device.cache_bytes / max(call_bytes, 1.0)))
    affordable = int(device.free_bytes() / 4 / max(call_bytes, 1.0))
    return max(1, min(wanted, affordable, most))
