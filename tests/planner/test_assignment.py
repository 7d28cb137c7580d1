"""Documents solved by name, under one time limit for the answer and all reasons."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from planner.assignment import answer, solve_document, to_json, with_most_moves
from planner.explanation import explain_object, explanation_lines, infeasible_lines
from solvers import SolveOptions
from solvers.options import Progress
from specs.document import read_problem

PROBLEM = """\
kind: AssignmentProblem
objects: {name: task, ids: [a, b, c]}
containers: {name: host, ids: [h0, h1, h2]}
assignment: {a: h0, b: h0}
dimensions:
  cpu: {objects: {a: 3, b: 2, c: 3}, containers: 5}
constraints:
  - capacity: {scope: host, dimension: cpu}
    policy: hard
goals:
  - maximize_allocation: {scope: host, dimension: cpu}
  - minimize_movement: {}
"""


def document(text=PROBLEM):
    return read_problem(text, source="problem.yaml")


def test_the_answer_is_by_name_and_its_json_reads_back():
    made = solve_document(document(), SolveOptions())
    assert made["status"] == "optimal"
    assert made["assignment"]["a"] == "h0"
    assert made["assignment"]["c"] in ("h1", "h2")
    assert made["moves"] == [{"object": "c", "from": None, "to": made["assignment"]["c"]}]
    assert [t["value"] for t in made["tiers"]] == [-8.0, 0.0]
    assert made["problem"] == "problem.yaml"
    assert json.loads(to_json(made)) == made


def test_nothing_found_is_an_answer_without_an_assignment():
    read = document(PROBLEM.replace("a: 3, b: 2, c: 3", "a: 9, b: 9, c: 9") + "may_be_unassigned: false\n")
    made = solve_document(read, SolveOptions())
    assert made["status"] == "infeasible"
    assert made["assignment"] is None
    assert made["tiers"] == []
    assert any("capacity" in line.lower() for line in infeasible_lines(made["infeasible"]))


def test_most_moves_is_a_hard_limit_on_what_is_placed():
    text = PROBLEM.replace(
        "maximize_allocation: {scope: host, dimension: cpu}", "to_free: {scope: host, items: [h0]}"
    )
    assert solve_document(document(text), SolveOptions())["moved"] == 2
    limited = with_most_moves(document(text), 1)
    made = solve_document(limited, SolveOptions())
    assert sum(m["from"] is not None for m in made["moves"]) == 1
    assert [c["enforced"] for c in made["constraints"]] == [True, True]


def test_prices_are_added_when_asked_for():
    made = solve_document(document(), SolveOptions(), prices=True)
    assert all(set(p) == {"limit", "tier", "per_unit"} for p in made["prices"])
    assert "prices" not in solve_document(document(), SolveOptions())


def contradiction(n=60, racks=12, seed=1):
    """Too much for the racks by a little: infeasible, and every reason takes many solves."""
    rng = np.random.default_rng(seed)
    weights = {f"t{i}": int(w) for i, w in enumerate(rng.integers(50, 100, n))}
    room = int(sum(weights.values()) / racks) - 1
    return document(
        json.dumps(
            {
                "kind": "AssignmentProblem",
                "objects": {"name": "task", "ids": list(weights)},
                "containers": {"name": "rack", "ids": [f"r{k}" for k in range(racks)]},
                "may_be_unassigned": False,
                "dimensions": {"power": {"objects": weights, "containers": room}},
                "constraints": [{"capacity": {"scope": "rack", "dimension": "power"}, "policy": "hard"}],
            }
        )
    )


@pytest.mark.parametrize("limit_s", [0.5, 1.5])
def test_the_time_limit_covers_the_answer_and_its_reasons(limit_s):
    started = time.monotonic()
    made = solve_document(contradiction(), SolveOptions(time_limit_s=limit_s))
    assert time.monotonic() - started < limit_s + 1.0
    assert made["status"] in ("infeasible", "unknown")
    if made["status"] == "infeasible":
        assert infeasible_lines(made["infeasible"])


def test_explaining_an_object_has_one_limit_progress_and_threads():
    heard: list[Progress] = []
    options = SolveOptions(time_limit_s=5.0, threads=2, on_progress=heard.append)
    made = explain_object(document(), "c", "h0", options)
    assert made["complete"]
    assert made["places"][0]["blockers"]
    assert made["forced"] is not None
    assert heard
    assert "c is at" in explanation_lines(made)[0]


def test_places_not_looked_at_in_time_are_said_to_be_missing():
    made = explain_object(document(), "c", None, SolveOptions(time_limit_s=1e-6))
    if made["at"] is not None:
        assert not made["complete"]
        assert any("time was over" in line for line in explanation_lines(made))


def test_an_answer_keeps_what_every_constraint_says():
    from solvers import solve

    read = document()
    result = solve(read.compile())
    made = answer(read, result)
    assert [c["broken"] for c in made["constraints"]] == [0]
    assert made["unassigned"] == 0
