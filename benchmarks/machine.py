"""Where and with what a benchmark ran: one record for every result file."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path

__all__ = ["machine_record"]


def machine_record(*packages: str) -> dict[str, object]:
    """Processor, cores, Python, and the versions of these packages."""
    processor = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    import os

    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }
