"""What the error of a step comes from: every operator timed once, and all of them in a row."""

from typing import Any

import numpy as np
import pytest

from models.architecture import resolve
from profiler.check.parts import PartTimes
from profiler.check.predict import operators
from profiler.check.shard import Step, shard_of
from profiler.devices.device import Device
from profiler.devices.numpy_cpu import NumpyCpu
from profiler.job import Job, Point
from profiler.measure.gemm import Gemm
from profiler.timing import Effort

QUICK = Effort(samples=3, fewest=2, seconds=0.01, warmup_seconds=0.0)
STEP = Step(prompt_tokens=16, batch_size=4, context_len=64)


def test_a_sum_counts_every_operator_of_every_layer(tiny_model: str, make_device: Any) -> None:
    class Constant(make_device):  # type: ignore[misc]
        def time(self, job: object, effort: Effort) -> np.ndarray:
            self.timed += 1
            return np.full(3, 7.0)

    device = Constant()
    shard = shard_of(resolve(tiny_model), 1, 2)
    times = PartTimes(device, "fp32", QUICK, 0)
    asked = list(operators(shard, STEP, "fp32"))

    assert times.step_us(shard, STEP) == pytest.approx(7.0 * sum(count for _, _, count, _ in asked))
    assert device.timed == len(asked)
    times.step_us(shard, STEP)
    assert device.timed == len(asked)  # nothing is timed twice


def test_a_row_has_every_operator_as_often_as_the_step(tiny_model: str) -> None:
    ran: list[int] = []

    class Watched(NumpyCpu):
        def time(self, job: Job, effort: Effort) -> np.ndarray:
            ran.clear()
            job.calls[0]()
            return np.full(3, float(len(ran)))

    class Counted(Gemm):
        def job(self, device: Device, point: Point, seed: int) -> Job:
            made = super().job(device, point, seed)
            return Job(calls=tuple(lambda: ran.append(1) for _ in made.calls), kernel="x")

    shard = shard_of(resolve(tiny_model), 1, 2)
    times = PartTimes(Watched(), "fp32", QUICK, 0)
    times._measurements["gemm"] = Counted()
    products = sum(count for name, _, count, _ in operators(shard, STEP, "fp32") if name == "gemm")

    assert products == 4 * 2 + 1
    assert times.row_us(shard, STEP) == products
