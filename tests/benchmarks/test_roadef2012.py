"""The ROADEF 2012 statement: costs and violations as the challenge counts them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.roadef2012 import data_folder, main, problem_of, read_instance
from models.errors import InvalidInput
from models.graph import evaluate
from specs import compile_problem

INITIAL_COSTS = {"a1_1": 49_528_750, "a1_2": 1_061_649_570, "a1_3": 583_662_270, "a1_5": 782_189_690,
                 "a2_2": 1_876_768_120}  # fmt: skip

# two resources (the first transient), three machines in two places, two services (0 needs 1), three processes
MODEL = """2 1 10 0 5
3 0 0 10 10 5 6 0 1 2  0 1 10 10 6 6 1 0 2  1 1 8 8 4 4 2 2 0
2 2 1 1  1 0
3 0 4 3 1  0 3 3 2  1 2 2 3
1 0 1 2 7
2 3 4
"""


@pytest.fixture
def instance(tmp_path):
    (tmp_path / "model_tiny.txt").write_text(MODEL)
    (tmp_path / "assignment_tiny.txt").write_text("0 1 0")
    return read_instance("tiny", tmp_path)


def by_hand(x, new):
    """(cost, feasible) by loops, from the statement of the challenge."""
    machines, resources = x.capacity.shape
    use = np.zeros((machines, resources))
    held = np.zeros((machines, resources))
    for p, m in enumerate(new):
        use[m] += x.requirement[p]
        if m != x.start[p]:
            held[x.start[p]] += x.requirement[p]
    feasible = bool(np.all(use <= x.capacity) and np.all((use + held * x.transient) <= x.capacity))
    places = {s: {x.location[new[p]] for p in np.flatnonzero(x.service == s)} for s in range(x.spread.size)}
    around = {s: {x.neighbourhood[new[p]] for p in np.flatnonzero(x.service == s)} for s in places}
    feasible &= all(len(places[s]) >= x.spread[s] for s in places)
    feasible &= all(around[s] <= around[t] for s, t in x.dependencies)
    feasible &= len({(s, m) for s, m in zip(x.service, new, strict=True)}) == len(new)
    cost = sum(x.load_weight[r] * np.maximum(0, use[:, r] - x.safety[:, r]).sum() for r in range(resources))
    for a, b, target, weight in x.balances:
        free = x.capacity - use
        cost += weight * np.maximum(0, target * free[:, a] - free[:, b]).sum()
    moved = [p for p, m in enumerate(new) if m != x.start[p]]
    counts = [sum(x.service[p] == s for p in moved) for s in places]
    cost += x.weights[0] * sum(x.process_cost[p] for p in moved) + x.weights[1] * max(counts)
    cost += x.weights[2] * sum(x.move_cost[x.start[p], new[p]] for p in moved)
    return cost, feasible


def test_every_assignment_of_a_tiny_instance(instance):
    graph = compile_problem(problem_of(instance))
    seen = set()
    for number in range(27):
        new = [number // 9, number // 3 % 3, number % 3]
        result = evaluate(graph, new)
        cost, feasible = by_hand(instance, new)
        assert result.tiers[0] == pytest.approx(cost), new
        assert result.feasible == feasible, new
        seen.add(feasible)
    assert seen == {True, False}


@pytest.mark.parametrize("name", sorted(INITIAL_COSTS))
def test_initial_cost_is_the_published_one(name):
    if not (data_folder() / f"model_{name}.txt").is_file():
        pytest.skip("the ROADEF instances are not here; FULCRUM_DATA says where they are")
    x = read_instance(name)
    result = evaluate(compile_problem(problem_of(x)), x.start)
    assert result.feasible
    assert result.tiers[0] == INITIAL_COSTS[name]


def test_the_command_writes_a_line_and_an_answer(instance, tmp_path, capsys):
    files = ["--model", str(tmp_path / "model_tiny.txt"), "--initial", str(tmp_path / "assignment_tiny.txt")]
    out = tmp_path / "new.txt"
    assert main([*files, "--time-limit", "5", "--out", str(out)]) == 0
    line = json.loads(capsys.readouterr().out)
    cost, feasible = by_hand(instance, [int(m) for m in out.read_text().split()])
    assert feasible
    assert line["cost"] == cost == line["bound"]
    best = min(c for n in range(27) for c, ok in [by_hand(instance, [n // 9, n // 3 % 3, n % 3])] if ok)
    assert line["cost"] == best
    assert 0 < line["seconds"] < 6
    with pytest.raises(SystemExit):
        main(["a1_1", *files])


def test_a_broken_file_is_an_error(tmp_path):
    (tmp_path / "model_x.txt").write_text("2 1 10")
    with pytest.raises(InvalidInput, match="ends after 3 numbers"):
        read_instance("x", tmp_path)
    with pytest.raises(InvalidInput, match="there is no model_y"):
        read_instance("y", tmp_path)
