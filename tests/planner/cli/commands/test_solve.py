"""`fulcrum solve`: the examples end to end, exit codes, answers as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.cli.app import run
from planner.cli.exit_codes import ExitCode

EXAMPLES = Path(__file__).parents[4] / "examples" / "problems"


def solved(problem: Path, tmp_path: Path, *more: str) -> tuple[int, dict]:
    out = tmp_path / "answer.json"
    code = run(["solve", str(problem), "--out", str(out), "--time-limit", "30", *more])
    return code, json.loads(out.read_text()) if out.exists() else {}


def test_knapsack_is_proven_optimal_at_395(tmp_path, capsys):
    code, answer = solved(EXAMPLES / "knapsack.yaml", tmp_path)

    assert code == ExitCode.OK
    assert answer["status"] == "optimal"
    assert answer["tiers"][0]["value"] == pytest.approx(-395)
    assert answer["tiers"][0]["bound"] == pytest.approx(-395)
    assert "knapsack.yaml: optimal" in capsys.readouterr().out


def test_tasks_on_hosts_end_0_6_3_3(tmp_path):
    _, answer = solved(EXAMPLES / "tasks_on_hosts.yaml", tmp_path)
    hosts = list(answer["assignment"].values())

    assert [hosts.count(h) for h in ("h0", "h1", "h2", "h3")] == [0, 6, 3, 3]


def test_at_most_so_many_objects_move(tmp_path):
    problem = tmp_path / "full.yaml"
    problem.write_text(
        "kind: AssignmentProblem\nobjects: {name: task, ids: [a, b, c, d, e, f, g, new]}\n"
        "containers: {name: host, ids: [h0, h1]}\n"
        "assignment: {a: h0, b: h0, c: h0, d: h0, e: h0, f: h0, g: h0}\nmay_be_unassigned: false\n"
        "dimensions: {load: {objects: {default: 1}, containers: {default: 8}}}\n"
        "goals:\n  - balance: {scope: host, dimension: load, formula: squares}\n"
    )
    _, free = solved(problem, tmp_path)
    _, few = solved(problem, tmp_path, "--max-moves", "1")
    _, none = solved(problem, tmp_path, "--max-moves", "0")

    # the task that is nowhere yet is placed in every answer, and that is no move
    moved = [sum(m["from"] is not None for m in answer["moves"]) for answer in (free, few, none)]
    assert moved[0] == 3
    assert moved[1:] == [1, 0]
    values = [answer["tiers"][0]["value"] for answer in (free, few, none)]
    assert values == sorted(values)
    assert len(set(values)) == 3


def test_same_input_same_bytes(tmp_path):
    first = solved(EXAMPLES / "adapters.yaml", tmp_path)

    assert solved(EXAMPLES / "adapters.yaml", tmp_path) == first


def test_infeasible_is_said_with_exit_code_2(tmp_path, capsys):
    problem = tmp_path / "tight.yaml"
    problem.write_text(
        "kind: AssignmentProblem\nobjects: {name: task, count: 3}\ncontainers: {name: host, count: 1}\n"
        "may_be_unassigned: false\nconstraints:\n"
        "  - capacity: {scope: host, dimension: count, limit: 2}\n    policy: hard\n"
    )
    code, _ = solved(problem, tmp_path)

    assert code == ExitCode.INFEASIBLE
    assert "infeasible" in capsys.readouterr().err


def test_a_mistake_has_file_line_and_path(tmp_path, capsys):
    problem = tmp_path / "wrong.yaml"
    text = (EXAMPLES / "knapsack.yaml").read_text().replace("capacity:", "capacty:")
    problem.write_text(text)
    code, _ = solved(problem, tmp_path)
    said = capsys.readouterr().err

    assert code == ExitCode.BAD_INPUT
    line = 1 + next(i for i, row in enumerate(text.splitlines()) if "capacty" in row)
    assert f"wrong.yaml:{line}: constraints[0].capacty" in said
    assert "did you mean 'capacity'?" in said


def test_json_goes_to_standard_output(tmp_path, capsys):
    assert run(["solve", str(EXAMPLES / "knapsack.yaml"), "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["status"] == "optimal"
