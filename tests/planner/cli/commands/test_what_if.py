"""`fulcrum what-if`."""

import json

import pytest

from planner.cli.app import run
from planner.cli.exit_codes import ExitCode
from planner.testing import SMALL_FLEET


def test_as_json(tmp_path, capsys):
    path = tmp_path / "fleet.yaml"
    path.write_text(SMALL_FLEET)
    assert run(["what-if", str(path), "--demand", "chat=+30%", "--no-verify", "--json"]) == ExitCode.OK
    values = json.loads(capsys.readouterr().out)
    assert values["after"]["workloads"]["chat"]["demand_per_s"] == pytest.approx(10 * 1.3 * 1.1)


def test_nothing_to_change_and_wrong_names(tmp_path, capsys):
    path = tmp_path / "fleet.yaml"
    path.write_text(SMALL_FLEET)
    assert run(["what-if", str(path)]) == ExitCode.BAD_INPUT
    assert "--remove-pool" in capsys.readouterr().err
    assert run(["what-if", str(path), "--demand", "caht=x2"]) == ExitCode.BAD_INPUT
    assert "chat" in capsys.readouterr().err
