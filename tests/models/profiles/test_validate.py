"""Validation reports error and warns of noise, contention and sparse tables."""

from pathlib import Path

import numpy as np

from models.profiles.manifest import DeviceInfo, Manifest
from models.profiles.store import write_profile
from models.profiles.table import OperationTable
from models.profiles.validate import validate_profile


def test_warnings_name_the_table_and_the_trouble(tmp_path: Path) -> None:
    manifest = Manifest(
        name="toy",
        gpu="",
        device=DeviceInfo(name="Toy", kind="cpu"),
        created="2026-11-20",
        basis="measured",
        source="a test",
        licence="Apache-2.0",
    )
    size = 2 ** np.arange(10, 20)
    good = {"library": "x", "access": "read", "size_bytes": size, "latency_us": 1 + size / 100.0}
    rough = np.where(np.arange(10) % 2, 50.0, 1.0)
    copies = {
        "library": "x",
        "direction": "h2d",
        "memory": "pinned",
        "size_bytes": size,
        "latency_us": rough,
        "p10_latency_us": rough * 0.5,
        "p90_latency_us": rough * 1.5,
        "contended": np.arange(10) < 3,
    }
    single = {"library": "x", "tier": "disk", "size_bytes": 1024, "latency_us": 1.0}
    tables = {
        "hbm": OperationTable.build("hbm", good),
        "host_copy": OperationTable.build("host_copy", copies),
        "weight_load": OperationTable.build("weight_load", single),
    }
    write_profile(tmp_path / "toy", manifest, tables)
    found = validate_profile(tmp_path / "toy")

    assert [a.operation for a in found.accuracy] == ["hbm", "host_copy", "weight_load"]
    assert found.accuracy[0].median < 0.05
    text = "\n".join(found.warnings)
    assert "hbm" not in text
    assert "host_copy: 3 of 10 points were measured while others" in text
    assert "host_copy: 10 of 10 points spread by more than 20%" in text
    assert "host_copy: interpolation is off by" in text
    assert "weight_load: too few points" in text
