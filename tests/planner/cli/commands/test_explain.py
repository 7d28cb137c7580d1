"""`fulcrum explain`, and the reasons and prices of `fulcrum solve`."""

from __future__ import annotations

import json

import pytest

from planner.cli.app import run
from planner.cli.exit_codes import ExitCode

PROBLEM = """\
kind: AssignmentProblem
objects: {name: task, ids: [a, b, c]}
containers: {name: host, ids: [h0, h1, h2]}
assignment: {a: h0, b: h0, c: h1}
dimensions:
  cpu: {objects: {a: 3, b: 2, c: 3}, containers: 5}
constraints:
  - capacity: {scope: host, dimension: cpu}
    policy: hard
goals:
  - minimize_movement: {}
"""
TIGHT = """\
kind: AssignmentProblem
objects: {name: task, count: 5}
containers: {name: rack, ids: [rack-1, rack-3]}
may_be_unassigned: false
constraints:
  - capacity: {scope: rack, dimension: count, limit: {rack-1: 1, rack-3: 2}}
    policy: hard
"""


@pytest.fixture
def problem(tmp_path):
    path = tmp_path / "problem.yaml"
    path.write_text(PROBLEM)
    return str(path)


@pytest.fixture
def tight(tmp_path):
    path = tmp_path / "tight.yaml"
    path.write_text(TIGHT)
    return str(path)


def test_blocked_and_costly_places_of_an_object(problem, capsys):
    assert run(["explain", problem, "a", "--json"]) == ExitCode.OK
    made = json.loads(capsys.readouterr().out)
    places = {p["container"]: p for p in made["places"]}

    assert made["at"] == "h0"
    assert [(b["where"], b["excess"]) for b in places["h1"]["blockers"]] == [("h1", 1.0)]
    assert places["h2"]["blockers"] == []
    assert [c["amount"] for c in places["h2"]["costs"]] == [1.0]
    assert made["forced"] is None


def test_sentences(problem, capsys):
    assert run(["explain", problem, "a"]) == ExitCode.OK
    said = capsys.readouterr().out
    assert said.startswith("a is at h0 (optimal)\n")
    assert "  h1: blocked by " in said
    assert "on h1, 1 beyond" in said
    assert "  h2: allowed, changes " in said


def test_one_place_with_the_others_free_to_make_room(problem, capsys):
    assert run(["explain", problem, "a", "h1", "--json"]) == ExitCode.OK
    made = json.loads(capsys.readouterr().out)

    assert [p["container"] for p in made["places"]] == ["h1"]
    assert made["forced"]["status"] == "optimal"
    assert [t["change"] for t in made["forced"]["tiers"]] == [2.0]  # a moves, and c makes room


def test_unknown_names(problem, capsys):
    assert run(["explain", problem, "aa"]) == ExitCode.BAD_INPUT
    assert "did you mean 'a'?" in capsys.readouterr().err
    assert run(["explain", problem, "a", "h9"]) == ExitCode.BAD_INPUT
    assert "h9" in capsys.readouterr().err


def test_infeasible_has_its_conflict_and_the_cheapest_way_out(tight, capsys):
    assert run(["solve", tight]) == ExitCode.INFEASIBLE
    said = capsys.readouterr().err
    assert "these limits cannot hold together:" in said
    conflict = said.partition("together:")[2].partition("the cheapest way out:")[0]
    assert "rack-1" in conflict
    assert "rack-3" in conflict
    # relative to its limit a place on rack-3 (2) is cheaper than one on rack-1 (1)
    assert said.rstrip().endswith("on rack-3 by 2")
    assert "raise " in said.partition("the cheapest way out:")[2]


def test_explaining_an_object_of_an_infeasible_problem(tight, capsys):
    assert run(["explain", tight, "task0"]) == ExitCode.INFEASIBLE
    assert "on rack-3 by 2" in capsys.readouterr().out


def test_prices_of_limits(tmp_path, capsys):
    path = tmp_path / "sacks.yaml"
    path.write_text(
        "kind: AssignmentProblem\nobjects: {name: item, count: 9}\ncontainers: {name: sack, ids: [s0, s1]}\n"
        "constraints:\n  - capacity: {scope: sack, dimension: count, limit: 3}\n    policy: hard\n"
        "goals:\n  - capacity: {scope: sack, dimension: count, limit: 10, bound: min}\n"
    )
    assert run(["solve", str(path), "--prices", "--json"]) == ExitCode.OK
    made = json.loads(capsys.readouterr().out)
    # 10 − used is missing on each sack: a place more saves one
    assert made["tiers"][0]["value"] == 14.0
    assert [p["per_unit"] for p in made["prices"]] == pytest.approx([1.0, 1.0])
