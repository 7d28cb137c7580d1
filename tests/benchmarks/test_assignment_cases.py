"""The generators are those of the published figures, and small cases reach their known optima."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.assignment import main
from benchmarks.assignment_cases import CASES, fleet, gpu
from models.graph import Evaluator
from models.graph.cells import as_dense
from specs import compile_problem

SMALL = {
    "colocate": (20, 30),
    "fleet": (16, 5),
    "gpu_bundles": (1,),
    "group_limit": (20, 5, 4),
    "sev0": (1000,),
    "shards": (99, 6, 3),
    "single": (100, 3),
    "tupperware": (20, 4),
    "web_balancing": (2,),
}
OPTIMA = {
    "eight_queens": [],
    "knapsack": [-395.0],
    "shard_allocation": [0.0, 0.43, 3.0],
    "sudoku": [],
    "tasks_on_hosts": [0.0, 3.604],
    "vertex_cover": [6.0],
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_every_case_compiles(case):
    problem = CASES[case](1, SMALL.get(case, ()))
    assert compile_problem(problem).space.n_objects == problem.objects.size


@pytest.mark.parametrize("case", sorted(OPTIMA))
def test_known_optima_are_proven(case, capsys):
    assert main([case, "--time-limit", "60"]) == 0
    line = json.loads(capsys.readouterr().out.splitlines()[-1])

    assert line["status"] == "optimal"
    assert line["tiers"] == pytest.approx(OPTIMA[case])
    assert line["violations"] == 0


@pytest.mark.parametrize(
    ("size", "replicas"), [((64, 20), 119), ((256, 60), 543), ((1000, 150), 2094), ((1000, 200), 2187)]
)
def test_fleet_has_as_many_replicas_as_published(size, replicas):
    assert fleet.fleet(3, size).objects.size == replicas


def test_shards_start_with_the_published_violations():
    problem = fleet.shards(1, (9_999, 200, 20))
    graph = compile_problem(problem)
    evaluator = Evaluator(graph, problem.space.initial)
    beyond = [as_dense(evaluator.value(c.node)) for c in graph.constraints]

    assert sum(int((x > 0).sum()) for x in beyond[:3]) == 83
    assert np.maximum(beyond[3], 0).sum() == 529


@pytest.mark.parametrize(("seed", "optimum"), [(1, 335.30), (2, 320.66), (3, 312.14)])
def test_gap_is_the_published_instance(seed, optimum):
    """Filling the 192 GPUs by value for a GPU, the last replica in part, bounds the known optimum."""
    problem = gpu.gap(seed, ())
    gpus, worth = (problem.weights(d).values[:, 0] for d in ("gpu", "worth"))
    room, total = 192.0, 0.0
    for i in np.argsort(-worth / gpus, kind="stable"):
        part = min(1.0, room / gpus[i])
        total, room = total + part * worth[i], room - part * gpus[i]
    assert optimum - 1e-9 <= total < optimum + 0.1
