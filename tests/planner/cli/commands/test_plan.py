"""`fulcrum plan`: what is verified, and the way from a plan that runs."""

from __future__ import annotations

import json

import pytest

from planner.cli.app import run
from planner.cli.exit_codes import ExitCode

FLEET = """\
fleet: t
pools: [{name: a, gpu: h100-sxm-80gb, nodes: 2, gpus_per_node: 4, price_per_gpu_hour: 2}]
models: [{name: m, architecture: llama-3.1-8b, weights: WEIGHTS}]
workloads:
  - model: m
    rate: 60/s
    lengths: {levels: [0, 1], input_tokens: [200, 900], output_tokens: [50, 200]}
    slo: {ttft_p95: 500ms, tpot_p95: 20ms}
policies: {parallelism: {tensor: [1], pipeline: [1]}, roles: [mixed]}
"""


@pytest.fixture
def fleet(tmp_path):
    def write(weights="bf16"):
        path = tmp_path / f"{weights}.yaml"
        path.write_text(FLEET.replace("WEIGHTS", weights))
        return str(path)

    return write


def test_the_report_says_what_the_simulator_saw(fleet, capsys):
    assert run(["plan", fleet()]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "replayed in the simulator" in shown
    (row,) = [line for line in shown.splitlines() if line.startswith("m ") and " stated " in line]
    assert row.rstrip().endswith("met")


def test_without_verification_nothing_is_claimed(fleet, capsys):
    assert run(["plan", fleet(), "--no-verify", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["verification"] is None


def test_the_way_from_a_running_plan_in_steps_and_as_a_picture(fleet, tmp_path, capsys):
    now, picture = tmp_path / "now.json", tmp_path / "way.svg"
    assert run(["plan", fleet(), "--out", str(now)]) == ExitCode.OK
    capsys.readouterr()
    assert run(["plan", fleet("fp8"), "--current", str(now), "--gantt", str(picture)]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "transition from the current plan" in shown
    assert "(floor 60.0/s)" in shown
    assert picture.read_text().startswith("<svg ")


def test_a_picture_of_no_way_is_refused(fleet, tmp_path, capsys):
    assert run(["plan", fleet(), "--gantt", str(tmp_path / "x.svg")]) == ExitCode.BAD_INPUT
    assert "--current" in capsys.readouterr().err


def test_by_region(tmp_path, capsys):
    from planner.testing import SMALL_FLEET

    path = tmp_path / "fleet.yaml"
    path.write_text(SMALL_FLEET)
    assert run(["plan", str(path), "--by-region", "--no-verify", "--executor", "local:2"]) == ExitCode.OK
    assert "planned by regions (" in capsys.readouterr().out
    path.write_text(SMALL_FLEET.replace("z1", "z0"))
    assert run(["plan", str(path), "--by-region", "--no-verify", "--json"]) == ExitCode.OK
    assert "planned as a whole, not by regions: it has one zone" in capsys.readouterr().err
    assert run(["plan", str(path), "--by-region", "--server", "127.0.0.1:1"]) == ExitCode.BAD_INPUT
    assert run(["plan", str(path), "--by-region", "--explain"]) == ExitCode.BAD_INPUT
