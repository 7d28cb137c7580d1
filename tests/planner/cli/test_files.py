"""`planner.cli.files`: whole files or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import InvalidInput
from planner.cli.files import read_plan, write_text


def test_write_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "p.json"
    write_text(target, "one")
    write_text(target, "two")
    assert target.read_text() == "two"
    assert list(tmp_path.iterdir()) == [target]
    assert target.stat().st_mode & 0o400


def test_write_to_a_device() -> None:
    write_text(Path("/dev/null"), "text")
    assert not Path("/dev/null").is_file()


def test_write_to_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot write the file"):
        write_text(tmp_path / "none" / "p.json", "x")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '{"schema": "other"}', "[" * 100_000])
def test_what_is_not_a_plan_is_an_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        read_plan(path)
    assert "p.json" in str(caught.value)
