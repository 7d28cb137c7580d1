"""What a file in `profiler.measure` provides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from models.errors import Unsupported
from profiler.devices.device import Device
from profiler.job import Job, Point
from profiler.space import Request, Space, Unmeasurable
from profiler.timing import Effort

__all__ = ["Measurement", "Sampled", "number"]


@dataclass(frozen=True, slots=True)
class Sampled:
    """Repeated values of one point, float64[n], in the unit of the operation's value; and what ran."""

    values: NDArray[np.float64]
    kernel: str


class Measurement(ABC):
    """Measures one operation. A subclass names it, lists what could be measured, and builds a job for a
    point.

    Attributes
    ----------
    operation
        Name in `models.profiles.schema`.
    by_name_only_on_cpu
        Left out on a CPU unless the user names it: it takes long to start, and only GPUs have use for it.
    """

    operation: ClassVar[str]
    by_name_only_on_cpu: ClassVar[bool] = False

    @abstractmethod
    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """What could be measured on this device, and what could not and why."""

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """Inputs and calls for one point.

        Raises
        ------
        Unsupported
            This device or library cannot do it; the reason is kept, the point is not tried again.
        MemoryError
            It does not fit (or the library's own out-of-memory error).
        """
        raise Unsupported(f"{self.operation} has no job of its own: it is measured as a whole")

    def measure(self, device: Device, point: Point, effort: Effort, seed: int) -> Sampled:
        """Measure one point; raises as `job` does. Overridden where the value is not the time of a job."""
        job = self.job(device, point, seed)
        return Sampled(device.time(job, effort), job.kernel)

    def start(self, device: Device, point: Point) -> None:  # noqa: B027 - few have something to start
        """Start what a point needs and later points share; its time is not the point's cost."""

    def close(self) -> None:  # noqa: B027 - few keep something
        """Give back what was kept between points: worker processes, files."""


def number(point: Point, *names: str) -> tuple[Any, ...]:
    """Axis values of a point as integers."""
    return tuple(round(float(point[name])) for name in names)
