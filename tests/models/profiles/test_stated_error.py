"""The error a measured profile states, as a plan quotes it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from models.profiles.stated_error import measured_source, stated_errors
from models.profiles.store import MANIFEST_FILE, Profile, read_manifest


def test_errors_are_quoted_and_unknown_ones_left_out(
    formula_profile: Callable[..., Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = formula_profile("box").folder
    assert folder is not None
    path = folder / MANIFEST_FILE
    data = json.loads(path.read_text())
    data["details"] = {"leave_one_out_error": {"gemm fp32": 0.0314, "hbm read": None}}
    path.write_text(json.dumps(data))
    monkeypatch.setenv("FULCRUM_PROFILES", str(folder.parent))

    assert stated_errors(read_manifest(folder)) == {"gemm fp32": 0.0314}
    assert measured_source("box") == "profile box of 2026-11-20; leave-one-out error: gemm fp32 3.1%"


def test_other_profiles_state_nothing(
    formula_profile: Callable[..., Profile], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    formula_profile("theirs", basis="imported")
    formula_profile("ours")
    monkeypatch.setenv("FULCRUM_PROFILES", str(tmp_path / "profiles"))

    assert measured_source("theirs") is None
    assert measured_source("nobody") is None
    assert measured_source("ours") == "profile ours of 2026-11-20; leave-one-out error: not stated"
