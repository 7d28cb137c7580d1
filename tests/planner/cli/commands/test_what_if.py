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


def test_each_change_by_itself(tmp_path, capsys):
    path = tmp_path / "fleet.yaml"
    path.write_text(SMALL_FLEET)
    command = [
        "what-if", str(path), "--demand", "chat=x2", "--demand", "all=x100000", "--no-verify", "--each",
        "--executor", "local:2", "--json",
    ]  # fmt: skip
    assert run(command) == ExitCode.INFEASIBLE
    twice, many = json.loads(capsys.readouterr().out)
    assert twice["changes"] == ["demand of chat x2"]
    assert twice["after"]["cost_per_hour"] >= twice["before"]["cost_per_hour"]
    assert many["after"]["state"] == "infeasible"

    command = ["what-if", str(path), "--demand", "chat=x2", "--no-verify", "--each"]
    assert run(command) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "demand of chat x2" in shown
    assert "as it is" in shown


def test_an_executor_without_each_is_refused(tmp_path, capsys):
    path = tmp_path / "fleet.yaml"
    path.write_text(SMALL_FLEET)
    assert run(["what-if", str(path), "--demand", "chat=x2", "--executor", "local"]) == ExitCode.BAD_INPUT
    assert "--each" in capsys.readouterr().err
