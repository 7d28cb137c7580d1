"""Journal entries become tables and come back."""

from pathlib import Path

import numpy as np

from models.profiles.manifest import DeviceInfo, Manifest
from models.profiles.store import read_profile, write_profile
from profiler.collect import entries_of, tables_of
from profiler.journal import Entry


def entry(size: int, value: float, **changes: object) -> Entry:
    point = {"library": "x", "access": "read", "size_bytes": float(size)}
    values: dict[str, object] = {
        "operation": "hbm",
        "point": point,
        "value": value,
        "p10": value * 0.9,
        "p90": value * 1.1,
        "samples": 9,
        "kernel": "sum",
    }
    return Entry(**(values | changes))  # type: ignore[arg-type]


def test_the_later_of_two_counts_and_refusals_do_not() -> None:
    entries = [entry(4, 1.0), entry(8, 2.0), entry(4, 3.0), entry(16, 1.0, refused="no")]
    table = tables_of(entries)["hbm"]

    assert dict(zip(table["size_bytes"].tolist(), table.value.tolist(), strict=True)) == {4: 3.0, 8: 2.0}


def test_a_profile_comes_back_as_entries(tmp_path: Path) -> None:
    manifest = Manifest(
        name="toy",
        gpu="",
        device=DeviceInfo(name="Toy", kind="cpu"),
        created="2026-11-20",
        basis="measured",
        source="a test",
        licence="Apache-2.0",
    )
    watts = Entry(
        operation="power", point={"library": "x", "load": "idle"}, value=70.0, p10=69.0, p90=71.0, samples=3
    )
    tables = tables_of([entry(4, 1.0), entry(8, 2.0, contended=True, sm_clock_mhz=1000.0), watts])
    write_profile(tmp_path / "toy", manifest, tables)
    again = tables_of(entries_of(read_profile(tmp_path / "toy")))

    assert list(again) == ["hbm", "power"]
    for name, table in tables.items():
        for column, values in table.columns.items():
            if values.dtype.kind == "f":
                np.testing.assert_allclose(again[name].numbers(column), values, rtol=1e-6)
            else:
                np.testing.assert_array_equal(again[name][column], values)
