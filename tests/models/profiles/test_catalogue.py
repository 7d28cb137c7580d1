"""Profiles are found by folder, by name in the user's folders, then in the package."""

from pathlib import Path

import pytest

from models.errors import UnknownName
from models.profiles.catalogue import PROFILES_VARIABLE, find_profile, known_profiles
from models.profiles.manifest import DeviceInfo, Manifest
from models.profiles.store import write_profile
from models.profiles.table import OperationTable


def test_search_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {"library": "x", "access": "read", "size_bytes": 1024, "latency_us": 1.0}
    for root, source in (("first", "one"), ("second", "two")):
        manifest = Manifest(
            name="toy-gpu",
            gpu="",
            device=DeviceInfo(name="Toy", kind="cpu"),
            created="2026-11-20",
            basis="measured",
            source=source,
            licence="Apache-2.0",
        )
        write_profile(tmp_path / root / "toy-gpu", manifest, {"hbm": OperationTable.build("hbm", columns)})
    monkeypatch.setenv(PROFILES_VARIABLE, f"{tmp_path / 'first'}:{tmp_path / 'second'}:{tmp_path / 'none'}")

    assert known_profiles()["toy-gpu"] == tmp_path / "first" / "toy-gpu"
    assert find_profile("toy-gpu").manifest.source == "one"
    assert find_profile(tmp_path / "second" / "toy-gpu").manifest.source == "two"
    with pytest.raises(UnknownName, match="did you mean 'toy-gpu'"):
        find_profile("toy-gpv")
