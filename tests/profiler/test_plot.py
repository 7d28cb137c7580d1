"""Pictures, where Matplotlib is installed."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from models.errors import Unavailable
from models.profiles.manifest import DeviceInfo, Manifest
from models.profiles.store import Profile
from models.profiles.table import OperationTable
from profiler.plot import plot_profile


def toy() -> Profile:
    size = 2 ** np.arange(10, 24)
    hbm = {"library": "x", "access": "read", "size_bytes": size, "latency_us": 2 + size / 1e4}
    m, n = (a.ravel() for a in np.meshgrid(2.0 ** np.arange(0, 12, 2), [256, 1024, 4096]))
    latency = 3 + 2 * m * n * 512 / 1e8
    gemm = {"library": "x", "dtype": "bf16", "m": m, "n": n, "k": 512, "latency_us": latency}
    manifest = Manifest(
        name="toy",
        gpu="",
        device=DeviceInfo(name="Toy", kind="cpu"),
        created="2026-11-20",
        basis="measured",
        source="a test",
        licence="Apache-2.0",
    )
    tables = {"gemm": OperationTable.build("gemm", gemm), "hbm": OperationTable.build("hbm", hbm)}
    return Profile(manifest, None, tables)


@pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="Matplotlib (extra `plot`) is not installed"
)
def test_a_picture_is_written(tmp_path: Path) -> None:
    plot_profile(toy(), tmp_path / "p.png")

    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(Unavailable, match=r"fulcrum-planner\[plot\]"):
        plot_profile(toy(), tmp_path / "p.png")
