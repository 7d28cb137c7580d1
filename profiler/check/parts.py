"""Where the error of a step comes from: its operators timed alone, right beside the step.

The error splits in two. *Profile*: the operators as predicted against the same operators timed now: what
interpolation, and a device no longer in the state it was measured in, are off by. *Sum*: the operators
timed now against the step: what adding them up leaves out, or counts double.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from profiler.check.predict import operators
from profiler.check.shard import Shard, Step
from profiler.devices.device import Device
from profiler.measurement import Measurement
from profiler.registry import measurements
from profiler.timing import Effort, summarize

__all__ = ["PartTimes"]


class PartTimes:
    """Times operators, each point once.

    Parameters
    ----------
    effort
        For every operator.
    """

    def __init__(self, device: Device, dtype: str, effort: Effort, seed: int) -> None:
        self.device, self.dtype, self.effort, self.seed = device, dtype, effort, seed
        self._measurements: dict[str, Measurement] = measurements()
        self._found: dict[tuple[Any, ...], float] = {}

    def step_us(self, shard: Shard, step: Step) -> float:
        """Sum over the operators of a step, microseconds; raises what a measurement raises."""
        total = 0.0
        for operation, _, count, point in operators(shard, step, self.dtype):
            key = (operation, *sorted(point.items()))
            if key not in self._found:
                sampled = self._measurements[operation].measure(
                    self.device, {"library": self.device.library, **point}, self.effort, self.seed
                )
                self._found[key] = summarize(np.asarray(sampled.values)).median
            total += count * self._found[key]
        return total
