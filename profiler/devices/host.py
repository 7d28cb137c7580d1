"""What every CPU device shares: the clock, the memory, the caches, and who else is computing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.profiles.manifest import DeviceInfo
from profiler.devices.device import Observation
from profiler.job import Job
from profiler.timing import Effort

__all__ = ["HostLoad", "cpu_info", "free_host_bytes", "last_level_cache_bytes", "time_on_host"]

_BUSY_SHARE = 0.15


def time_on_host(job: Job, effort: Effort) -> NDArray[np.float64]:
    """Time calls that return when their work is done; microseconds per call, float64[timings]."""
    calls, clock = job.calls, time.perf_counter_ns
    start = clock()
    rounds = 0
    while rounds < 2 or (clock() - start) * 1e-9 < effort.warmup_seconds:
        if rounds == 1 and (clock() - start) * 1e-9 > effort.seconds:
            break  # what lasts that long is warm
        calls[rounds % len(calls)]()
        rounds += 1
    per_call = (clock() - start) * 1e-9 / rounds
    repeats = max(1, round(effort.sample_seconds / max(per_call, 1e-9)))
    samples: list[float] = []
    turn = rounds
    begin = clock()
    while not effort.enough(len(samples), (clock() - begin) * 1e-9):
        before = clock()
        for _ in range(repeats):
            calls[turn % len(calls)]()
            turn += 1
        samples.append((clock() - before) * 1e-3 / repeats)
    return np.asarray(samples, dtype=np.float64)


def cpu_info() -> DeviceInfo:
    """This machine's processor, its memory, and the CPUs this process may use."""
    name, mhz = "CPU", 0.0
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                name = value.strip()
            elif key.strip() == "cpu MHz" and not mhz:
                mhz = float(value)
    except (OSError, ValueError):
        pass
    attributes: dict[str, float | str] = {
        "cpu_count": float(usable_cpus()),
        "last_level_cache_bytes": float(last_level_cache_bytes()),
    }
    if mhz:
        attributes["clock_mhz"] = mhz
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return DeviceInfo(name=name, kind="cpu", memory_bytes=total, attributes=attributes)


def usable_cpus() -> int:
    """CPUs this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_host_bytes() -> int:
    """Memory that can be allocated without swapping."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES"))


def last_level_cache_bytes() -> int:
    """Size of the largest cache level, 32 MiB when the system does not say."""
    sizes = []
    for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        try:
            text = path.read_text(encoding="utf-8").strip()
            sizes.append(int(text[:-1]) * {"K": 1024, "M": 1024**2}[text[-1]])
        except (OSError, ValueError, KeyError):
            continue
    return max(sizes, default=32 * 1024**2)


class HostLoad:
    """CPU time that others take, from one call of `observe` to the next."""

    def __init__(self) -> None:
        self._before = self._read()

    @staticmethod
    def _read() -> tuple[float, float, float] | None:
        """(busy, total, own) CPU seconds; None where the kernel does not say."""
        try:
            fields = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]
        except OSError:
            return None
        ticks = [float(f) / os.sysconf("SC_CLK_TCK") for f in fields]
        own = os.times()
        idle = ticks[3] + ticks[4]
        return sum(ticks) - idle, sum(ticks), own.user + own.system

    def observe(self) -> Observation:
        """Others' share since the last call, marked when above 15 % of the machine."""
        now, before = self._read(), self._before
        self._before = now
        if now is None or before is None or now[1] - before[1] < 0.05:
            return Observation()  # too short a time for 10 ms ticks to say anything
        share = (now[0] - before[0] - (now[2] - before[2])) / (now[1] - before[1])
        others = f"other processes took {share:.0%} of the CPU" if share > _BUSY_SHARE else ""
        return Observation(others=others)
