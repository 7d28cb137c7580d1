"""Where the error of a step comes from: its operators timed alone, right beside the step.

The error splits in three. *Profile*: the operators as predicted against the same operators timed now:
what interpolation, and a device no longer in the state it was measured in, are off by. *Loop*: each
operator timed in a loop of its own against all of them in a row, in the order and as often as the step
has them: what a loop keeps warm (caches, code, branches) that a layer finds cold. *Sum*: the row against
the step: what the list of operators leaves out, or counts double.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from profiler.check.predict import operators
from profiler.check.shard import Shard, Step
from profiler.devices.device import Device
from profiler.job import Job, Point
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
                    self.device, self._point(point), self.effort, self.seed
                )
                self._found[key] = summarize(np.asarray(sampled.values)).median
            total += count * self._found[key]
        return total

    def row_us(self, shard: Shard, step: Step) -> float:
        """The operators of a step one after the other, layer by layer, each layer on weights of its own."""
        jobs = [
            (count, self._measurements[operation].job(self.device, self._point(point), self.seed + number))
            for number, (operation, _, count, point) in enumerate(operators(shard, step, self.dtype))
        ]
        row = [
            job.calls[(layer + turn) % len(job.calls)]
            for layer in range(shard.layers)
            for count, job in jobs
            for turn in range(count // shard.layers if count >= shard.layers else int(layer == 0))
        ]

        def run() -> None:
            for call in row:
                call()

        timed = self.device.time(Job(calls=(run,), kernel="operators in a row"), self.effort)
        return summarize(timed).median

    def _point(self, point: dict[str, Any]) -> Point:
        return {"library": self.device.library, **point}
