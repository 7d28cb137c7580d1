"""`planner.doctor`."""

from __future__ import annotations

import socket

import pytest

from planner.cli.app import run
from planner.doctor import examine


def test_this_installation_is_fit() -> None:
    found = {finding.subject: finding for finding in examine()}
    assert not [finding for finding in found.values() if finding.level == "failed"]
    assert {"Python", "packages", "solver highs", "profiles", "search kernels"} <= set(found)
    assert "h100-sxm-80gb" in found["profiles"].message


def test_a_server_that_is_not_there_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    assert run(["doctor", "--server", address]) == 1
    assert f"failed  server {address}" in capsys.readouterr().out


def test_a_damaged_profile_is_found(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    monkeypatch.setenv("FULCRUM_PROFILES", str(tmp_path))
    failed = [finding.subject for finding in examine() if finding.level == "failed"]
    assert failed == ["profile mine"]
