"""Reading NVML: units, other users, and cards or machines that do not answer."""

import math
import os
import sys
import types
from typing import Any

import pytest

from profiler.devices.nvml import Nvml


def library(*, used: int = 10**9, pids: tuple[int, ...] = (), busy: int = 0) -> Any:
    """A pynvml with one card."""
    nvml = types.SimpleNamespace(NVML_CLOCK_SM=1, NVML_CLOCK_MEM=2, NVML_TEMPERATURE_GPU=0, asked=[])

    def handle(uuid: str) -> str:
        nvml.asked.append(uuid)
        return "card"

    def refuse(*_: object) -> None:
        raise RuntimeError("not supported")

    nvml.nvmlInit = lambda: None
    nvml.nvmlDeviceGetHandleByUUID = handle
    nvml.nvmlSystemGetDriverVersion = lambda: b"570.1"
    nvml.nvmlDeviceGetClockInfo = lambda h, k: {1: 1980, 2: 3201}[k]
    nvml.nvmlDeviceGetMaxClockInfo = lambda h, k: {1: 1980, 2: 3201}[k]
    nvml.nvmlDeviceGetEnforcedPowerLimit = refuse
    nvml.nvmlDeviceGetTemperature = lambda h, k: 41
    nvml.nvmlDeviceGetPowerUsage = lambda h: 123_456
    nvml.nvmlDeviceGetMemoryInfo = lambda h: types.SimpleNamespace(used=used)
    nvml.nvmlDeviceGetComputeRunningProcesses = lambda h: [types.SimpleNamespace(pid=p) for p in pids]
    nvml.nvmlDeviceGetUtilizationRates = lambda h: types.SimpleNamespace(gpu=busy)
    return nvml


def test_readings_have_their_units() -> None:
    fake = library()
    nvml = Nvml("abc", fake)
    seen = nvml.observe(own_bytes=0)

    assert fake.asked == ["GPU-abc"]
    assert (seen.sm_clock_mhz, seen.memory_clock_mhz, seen.temperature_c) == (1980, 3201, 41)
    assert seen.power_watts == pytest.approx(123.456)
    assert seen.others == ""
    assert nvml.driver == "570.1"
    assert nvml.limits() == {
        "max_sm_clock_mhz": 1980,
        "max_memory_clock_mhz": 3201,
    }  # the power limit is refused


@pytest.mark.parametrize(
    ("card", "idle", "message"),
    [
        (library(pids=(os.getpid(), 77)), False, "1 other processes"),
        (library(used=30 * 10**9), False, r"30\.0 GB of its memory"),
        (library(busy=60), True, "60 % busy while we are idle"),
    ],
)
def test_other_users_are_seen(card: Any, idle: bool, message: str) -> None:
    import re

    assert re.search(message, Nvml("GPU-abc", card).observe(own_bytes=0, idle=idle).others)


def test_our_own_work_is_not_contention() -> None:
    assert Nvml("a", library(pids=(os.getpid(),), busy=100)).observe(own_bytes=10**9).others == ""
    # In a container our process has another number outside.
    assert Nvml("a", library(pids=(4242,))).observe(own_bytes=10**9).others == ""


def test_without_nvml_everything_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    nvml = Nvml("abc")
    seen = nvml.observe(own_bytes=0, idle=True)

    assert "nvidia-ml-py is not installed" in nvml.problem
    assert math.isnan(seen.sm_clock_mhz)
    assert math.isnan(seen.power_watts)
    assert (seen.others, nvml.driver, nvml.limits()) == ("", "", {})


def test_a_driver_that_fails_is_reported_once() -> None:
    broken = library()

    def fail() -> None:
        raise RuntimeError("Driver/library version mismatch")

    broken.nvmlInit = fail
    assert "version mismatch" in Nvml("abc", broken).problem


def test_our_workers_are_not_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profiler.devices.nvml.OWN_PROCESSES", {os.getpid(), 91, 92})

    assert Nvml("a", library(pids=(os.getpid(), 91, 92))).observe(own_bytes=10**9).others == ""
    # In a container all of them have other numbers outside.
    assert Nvml("a", library(pids=(5001, 5002, 5003))).observe(own_bytes=10**9).others == ""
    strange = Nvml("a", library(pids=(5001, 5002, 5003, 5004))).observe(own_bytes=10**9)
    assert "1 other processes" in strange.others


@pytest.mark.parametrize(
    "name", ["nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"]
)
def test_throttling_is_counted_under_either_name(name: str) -> None:
    card = library()
    setattr(card, name, lambda h: 0x04 | 0x40 | 0x01)  # idle is no throttling
    nvml = Nvml("a", card)
    nvml.observe(own_bytes=10**9)
    nvml.observe(own_bytes=10**9)

    assert nvml.throttled == {"power cap": 2, "hardware thermal slowdown": 2}
