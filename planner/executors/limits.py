"""Limits the kernel keeps for a worker."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["die_with_parent", "limited_memory"]


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies, however the parent dies."""
    if sys.platform != "linux":
        return
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


@contextlib.contextmanager
def limited_memory(memory_bytes: int | None) -> Iterator[None]:
    """Let this process take so much writable memory beyond what it has; allocations then raise `MemoryError`.

    Beyond what it has, because libraries reserve stacks and arenas when they are loaded, which no task asked
    for. Elsewhere than on Linux nothing is limited.
    """
    if memory_bytes is None or sys.platform != "linux":
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _writable_bytes() + memory_bytes
    hard = before[1]
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _writable_bytes() -> int:
    """Private writable memory of this process, as RLIMIT_DATA counts it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("Linux states VmData of every process")
