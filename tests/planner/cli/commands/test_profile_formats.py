"""The formats of `fulcrum profile import`: all of them in its help."""

import pytest

from models.profiles.importers.registry import importers
from planner.cli.app import run


def test_help_names_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profile", "import", "--help"]) == 0
    said = "".join(capsys.readouterr().out.split())
    assert all(name in said for name in importers())
