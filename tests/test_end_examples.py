"""Every file of `examples/` is read as a user's would be; the small ones do what their head comments say."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from planner.cli.app import run
from planner.cli.exit_codes import ExitCode
from planner.fleet import read_fleet, read_fleet_file

EXAMPLES = Path(__file__).parents[1] / "examples"
TRACES = Path(os.environ.get("FULCRUM_DATA", Path(__file__).parents[2] / "shared" / "data")) / "traces"
FLEETS = [f for f in sorted(EXAMPLES.glob("*.yaml")) if "\npools:" in f.read_text()]
PROBLEMS = sorted((EXAMPLES / "problems").glob("*.yaml"))


def name(path):
    return path.stem


def test_there_are_as_many_as_promised():
    assert len(FLEETS) >= 8
    assert len(PROBLEMS) >= 3


@pytest.mark.parametrize("path", [*FLEETS, *PROBLEMS], ids=name)
def test_says_what_it_is_at_its_head_and_in_the_list(path):
    assert path.read_text().startswith("# ")
    assert f"`{path.relative_to(EXAMPLES)}`" in (EXAMPLES / "README.md").read_text()


@pytest.mark.parametrize("path", FLEETS, ids=name)
def test_fleet_is_valid(path):
    text = path.read_text()
    if "trace:" not in text:
        assert read_fleet_file(path).workloads
        return
    if not TRACES.is_dir():
        pytest.skip("the traces it names are not here (FULCRUM_DATA)")
    assert read_fleet(text, source=str(path), base_dir=TRACES).workloads


@pytest.mark.parametrize("path", PROBLEMS, ids=name)
def test_problem_is_solved_to_proven_optimality(path, capsys):
    assert run(["solve", str(path), "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["status"] == "optimal"


@pytest.fixture
def plan(capsys, tmp_path):
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)

    def plan_of(example, change=lambda text: text):
        file = tmp_path / example
        file.write_text(change(file.read_text()))
        assert run(["plan", str(file), "--no-verify", "--json"]) == ExitCode.OK
        found = json.loads(capsys.readouterr().out)
        assert found["state"] in {"optimal", "feasible"}
        return found

    return plan_of


def test_one_model_needs_a_part_of_its_node(plan):
    found = plan("one_model.yaml")
    assert found["workloads"][0]["unserved_per_s"] == 0
    assert 0 < found["pools"][0]["gpus_used"] < 8


def test_short_supply_is_shared_evenly_after_the_first_priority(plan):
    found = plan("short_supply.yaml")
    unserved = {w["name"]: w["unserved_per_s"] / w["demand_per_s"] for w in found["workloads"]}
    assert unserved["agent"] == 0
    assert 0 < unserved["chat"] < 1
    assert 0 < unserved["code"] < 1
    # chat needs GPUs in pairs, each of which serves three tenths of its demand: no division is more even
    assert abs(unserved["chat"] - unserved["code"]) < 0.3
    worst = next(goal for goal in found["objectives"] if goal["name"].startswith("fairness"))
    assert worst["value"] == pytest.approx(max(unserved["chat"], unserved["code"]), rel=1e-5)
    assert worst["bound"] == pytest.approx(worst["value"], rel=1e-5)  # proven: nobody can be served better
    assert found["pools"][0]["gpus_used"] == 8


def test_power_binds_before_the_gpus_do(plan):
    found = plan("power.yaml")
    used = Counter()
    for instance in found["instances"]:
        for stage in instance["stages"]:
            used[stage["node"].rsplit("/", 1)[0]] += len(stage["gpus"])
    assert max(used["h100/r0"], used["h100/r1"]) * 700 <= 7000
    assert (used["l40s/r0"] + used["l40s/r1"]) * 350 <= 5600
    assert used["l40s/r0"] + used["l40s/r1"] < 24
    unlimited = plan(
        "power.yaml",
        lambda text: "\n".join(line for line in text.splitlines() if not line.strip().startswith("power:")),
    )
    assert unlimited["cost_per_hour"] < found["cost_per_hour"]


def test_split_costs_less_than_half_of_mixed(plan):
    apart = plan("split.yaml")
    assert {instance["role"] for instance in apart["instances"]} == {"prefill", "decode"}
    mixed = plan("split.yaml", lambda text: text.replace("roles: [disaggregated]", "roles: [mixed]"))
    assert apart["cost_per_hour"] < mixed["cost_per_hour"] / 2


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (
            {"nodes: 4": "nodes: 1", "nodes: 2": "nodes: 1", "racks: 2": "racks: 1"},
            ExitCode.INFEASIBLE,
            "more node",
        ),
        ({"ttft_p95: 1s": "ttft_p95: 50ms"}, ExitCode.INFEASIBLE, "would work for 'chat'"),
        ({"h100-sxm-80gb": "h100-smx-80gb"}, ExitCode.BAD_INPUT, "did you mean 'h100-sxm-80gb'?"),
    ],
)
def test_changes_that_the_list_promises_an_answer_to(change, code, says, capsys, tmp_path):
    shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "fleet.yaml"
    for old, new in change.items():
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
    assert run(["plan", str(file), "--no-verify"]) == code
    printed = capsys.readouterr()
    assert says in " ".join((printed.out + printed.err).split())
