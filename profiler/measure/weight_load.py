"""How fast a weights file reaches the device, from the page cache and from disk."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import Unsupported
from profiler.devices.device import Device
from profiler.host_numbers import random_bytes
from profiler.job import Point
from profiler.measurement import Measurement, Sampled, number
from profiler.space import Request, Space, Unmeasurable
from profiler.timing import Effort

__all__ = ["FOLDER_VARIABLE", "MEASUREMENTS"]

FOLDER_VARIABLE = "FULCRUM_SCRATCH"
"""Folder for the test file: put it on the disk that holds your weights. The system's temporary folder if
unset.
"""

_CHUNK = 16 * 1024**2


class WeightLoad(Measurement):
    """Read in 16 MiB pieces into a pinned buffer, each piece copied on to the device, as safetensors
    loaders do.
    """

    operation = "weight_load"

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """1 MiB to 1 GiB."""
        del request
        rows = [{"size_bytes": 2**e} for e in range(20, 31) if 2**e * 4 <= device.free_bytes()]
        for tier in ("page_cache", "disk"):
            if tier == "disk" and not hasattr(os, "posix_fadvise"):
                reason = "this system cannot drop a file from its page cache"
                yield Unmeasurable(operation="weight_load", what=tier, reason=reason)
                continue
            yield Space.of("weight_load", {"library": device.library, "tier": tier}, rows)

    def measure(self, device: Device, point: Point, effort: Effort, seed: int) -> Sampled:
        """Whole-file reads; before each one from disk the file is dropped from the page cache."""
        (size,) = number(point, "size_bytes")
        folder = Path(os.environ.get(FOLDER_VARIABLE) or tempfile.gettempdir())
        cold = point["tier"] == "disk"
        if cold and _file_system(folder) in {"tmpfs", "ramfs"}:
            raise Unsupported(f"{folder} is in memory; set {FOLDER_VARIABLE} to a folder on disk")
        target, buffer, view = _buffers(device)
        samples: list[float] = []
        with tempfile.NamedTemporaryFile(dir=folder, prefix="fulcrum-weights-") as file:
            block = random_bytes(_CHUNK, seed)
            for start in range(0, size, _CHUNK):
                file.write(block[: size - start].tobytes())
            file.flush()
            os.fsync(file.fileno())
            begin = time.perf_counter()
            while len(samples) < effort.samples + 1:
                if len(samples) > effort.fewest and time.perf_counter() - begin > effort.seconds:
                    break
                if cold:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                before = time.perf_counter_ns()
                with Path(file.name).open("rb", buffering=0) as source:
                    while read := source.readinto(view):
                        target[:read] = buffer[:read]
                if device.kind == "cuda":
                    device.torch.cuda.synchronize()
                samples.append((time.perf_counter_ns() - before) * 1e-3)
        # The first read warms the page cache, or the disk's own.
        return Sampled(np.asarray(samples[1:]), "readinto a buffer, copy of 16 MiB pieces")


def _buffers(device: Device) -> tuple[Any, Any, memoryview]:
    """(target on the device, host buffer, the host buffer's bytes)."""
    if device.kind == "cuda":
        torch: Any = device.torch
        pinned = torch.empty(_CHUNK, dtype=torch.uint8, pin_memory=True)
        return torch.empty(_CHUNK, dtype=torch.uint8, device=device.place), pinned, memoryview(pinned.numpy())
    buffer = bytearray(_CHUNK)
    return np.empty(_CHUNK, dtype=np.uint8), np.frombuffer(buffer, dtype=np.uint8), memoryview(buffer)


def _file_system(folder: Path) -> str:
    """Type of the file system a folder is on, empty when unknown."""
    best, kind = "", ""
    try:
        for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
            _, mount, name, *_ = line.split()
            if folder.resolve().is_relative_to(mount) and len(mount) > len(best):
                best, kind = mount, name
    except (OSError, ValueError):
        return ""
    return kind


MEASUREMENTS = (WeightLoad(),)
