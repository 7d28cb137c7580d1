"""Loading a file: the whole file is read, nothing is left behind."""

from pathlib import Path

import numpy as np
import pytest

from models.errors import Unsupported
from profiler.devices.numpy_cpu import NumpyCpu
from profiler.measure import weight_load
from profiler.measure.weight_load import FOLDER_VARIABLE, WeightLoad
from profiler.timing import Effort


def test_larger_files_take_longer_and_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    times = []
    for size in (2**20, 2**25):
        point = {"library": "x", "tier": "page_cache", "size_bytes": float(size)}
        found = WeightLoad().measure(NumpyCpu(), point, Effort(samples=5, fewest=3), 0)
        times.append(float(np.median(found.values)))

    assert times[1] > 5 * times[0]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_memory_is_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(weight_load, "_file_system", lambda _: "tmpfs")
    point = {"library": "x", "tier": "disk", "size_bytes": 2.0**20}
    with pytest.raises(Unsupported, match="is in memory; set FULCRUM_SCRATCH"):
        WeightLoad().measure(NumpyCpu(), point, Effort(), 0)
