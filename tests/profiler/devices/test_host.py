"""Timing on the CPU, and seeing who else computes."""

import itertools
import time

import numpy as np
import pytest

from profiler.devices.device import rotations
from profiler.devices.host import HostLoad, cpu_info, free_host_bytes, last_level_cache_bytes, time_on_host
from profiler.devices.numpy_cpu import NumpyCpu
from profiler.job import Job
from profiler.timing import Effort


def test_a_sleep_takes_as_long_as_it_says() -> None:
    job = Job(calls=(lambda: time.sleep(0.002),), kernel="sleep")
    samples = time_on_host(job, Effort(samples=6, seconds=1))

    assert samples.size == 6
    assert 2000 <= np.min(samples) < 20_000


def test_short_calls_are_repeated_until_the_clock_can_see_them() -> None:
    count = 0

    def tick() -> None:
        nonlocal count
        count += 1

    samples = time_on_host(Job(calls=(tick,), kernel="tick"), Effort(samples=5, sample_seconds=1e-3))
    assert count > 5 * 100
    assert np.median(samples) < 50


def test_calls_take_turns() -> None:
    seen: list[int] = []
    calls = tuple((lambda i=i: seen.append(i)) for i in range(3))
    time_on_host(Job(calls=calls, kernel="turn"), Effort(samples=5, warmup_seconds=0, sample_seconds=1e-6))

    assert seen[:6] == [0, 1, 2, 0, 1, 2]
    assert all((b - a) % 3 == 1 for a, b in itertools.pairwise(seen))


def test_time_limit_leaves_the_fewest() -> None:
    job = Job(calls=(lambda: time.sleep(0.01),), kernel="sleep")

    assert time_on_host(job, Effort(samples=100, fewest=3, seconds=0.02)).size <= 5


def test_this_machine_is_described() -> None:
    info = cpu_info()

    assert info.kind == "cpu"
    assert info.name
    assert info.memory_bytes > free_host_bytes() > 0
    assert last_level_cache_bytes() >= 2**18


def test_own_work_is_not_somebody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = iter([(100.0, 200.0, 50.0), (102.0, 204.0, 52.0), (105.0, 208.0, 52.5)])
    monkeypatch.setattr(HostLoad, "_read", staticmethod(lambda: next(readings)))
    load = HostLoad()

    assert load.observe().others == ""  # 2 s busy, all ours
    assert load.observe().others == "other processes took 62% of the CPU"


def test_rotations_outrun_the_cache_and_fit_the_memory() -> None:
    device = NumpyCpu()
    device.cache_bytes = 1000
    device.free_bytes = lambda: 10**9  # type: ignore[method-assign]

    assert rotations(device, 500) == 4
    assert rotations(device, 1) == 64
    assert rotations(device, 5000) == 1
    device.free_bytes = lambda: 6000  # type: ignore[method-assign]
    assert rotations(device, 500) == 3
