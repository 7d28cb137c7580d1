"""What people read of a profile."""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from models.profiles.manifest import DeviceInfo, Manifest
from models.profiles.store import Profile, read_profile, write_profile
from models.profiles.table import OperationTable
from models.profiles.validate import validate_profile
from profiler.show import compare_profiles, print_comparison, print_profile, print_validation


def profile(folder: Path, *, library: str, factor: float = 1.0, dtype: str = "bf16") -> Profile:
    manifest = Manifest(
        name=folder.name,
        gpu="",
        device=DeviceInfo(name="Toy", kind="cpu", driver="12.3"),
        created="2026-11-20",
        basis="measured",
        source="a test",
        licence="Apache-2.0",
        libraries={"x": "1"},
    )
    m, n = (a.ravel() for a in np.meshgrid(2.0 ** np.arange(0, 12, 2), [256, 1024, 4096]))
    latency = (3 + 2 * m * n * 512 / 1e8 + n * 1024 / 1e6) * factor
    columns = {"library": library, "dtype": dtype, "m": m, "n": n, "k": 512, "latency_us": latency}
    watts = {"library": library, "load": ["idle", "gemm"], "power_watts": [70.0, 650.0]}
    tables = {
        "gemm": OperationTable.build(
            "gemm", columns | {"p10_latency_us": latency, "p90_latency_us": latency * 1.1}
        ),
        "power": OperationTable.build("power", watts),
    }
    write_profile(folder, manifest, tables)
    return read_profile(folder)


def text(write: object, *arguments: object) -> str:
    out = io.StringIO()
    write(*arguments, Console(file=out, width=150, color_system=None))  # type: ignore[operator]
    return out.getvalue()


def test_show_has_provenance_rates_and_error(tmp_path: Path) -> None:
    shown = text(print_profile, profile(tmp_path / "toy", library="x-1"))

    assert "toy: Toy, measured, 2026-11-20" in shown
    assert "driver 12.3, x 1" in shown
    assert "gemm" in shown
    assert "TFLOP/s" in shown
    assert "70 W" in shown
    assert "10%" in shown  # the spread between repeats


def test_validation_is_readable(tmp_path: Path) -> None:
    profile(tmp_path / "toy", library="x-1")
    shown = text(print_validation, validate_profile(tmp_path / "toy"))

    assert "every file is whole" in shown
    assert "worst point" in shown


def test_comparison_ignores_the_library_and_gives_the_ratio(tmp_path: Path) -> None:
    a = profile(tmp_path / "a", library="x-1")
    b = profile(tmp_path / "b", library="y-7", factor=1.5)
    found = {d.operation: d for d in compare_profiles(a, b)}

    assert found["gemm"].points == 18
    assert found["gemm"].median == pytest.approx(1.5, rel=1e-4)
    assert found["power"].median == pytest.approx(1.0)
    assert "1.50" in text(print_comparison, a, b)


def test_the_same_library_answers_where_it_can(tmp_path: Path) -> None:
    a = profile(tmp_path / "a", library="x-1")
    both = [
        profile(tmp_path / name, library=library, factor=factor).table("gemm")
        for name, library, factor in (("b", "x-1", 2.0), ("c", "z-1", 9.0))
    ]
    columns = {c: np.concatenate([t[c] for t in both]) for c in both[0].columns}
    second = Profile(a.manifest.with_tables({}), None, {"gemm": OperationTable.build("gemm", columns)})
    (found,) = compare_profiles(a, second)

    assert found.median == pytest.approx(2.0, rel=1e-4)
    assert found.group == "x-1 bf16"


def test_nothing_in_common(tmp_path: Path) -> None:
    a = profile(tmp_path / "a", library="x-1")
    b = profile(tmp_path / "b", library="x-1", dtype="fp8")

    assert {d.operation for d in compare_profiles(a, b)} == {"power"}
