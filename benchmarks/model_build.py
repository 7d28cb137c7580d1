"""``python -m benchmarks model-build``: time to build a model of 1,000,000 non-zeros, here and in PuLP.

The model: objects to containers, each object once, three capacities. Here it is stated as an expression graph
and lowered to sparse rows and columns (bounds, object classes and all); in PuLP as an `LpProblem`, in the two
ways people write it. Both hold the same coefficients, which is checked. No solver runs, no file is written.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine_record
from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope
from models.graph.cells import Array
from solvers.milp.lowering import lower
from solvers.milp.model import MilpModel

DIMENSIONS = 3


def data(n_objects: int, n_containers: int, seed: int) -> tuple[Array, Array]:
    """Loads float64[n_objects, 3] and capacities float64[n_containers, 3]; no object is like another."""
    rng = np.random.default_rng(seed)
    load = np.round(rng.uniform(1, 10, (n_objects, DIMENSIONS)), 3)
    share = load.sum(axis=0) / n_containers
    return load, np.ceil(share * rng.uniform(1.2, 1.6, (n_containers, DIMENSIONS)))


def build_here(load: Array, capacity: Array) -> MilpModel:
    """Graph and lowering."""
    n, m = load.shape[0], capacity.shape[0]
    space = AssignmentSpace(Axis("object", n), Axis("container", m), np.zeros(n, np.int32), np.zeros(n, bool))
    b = GraphBuilder(space)
    scope = Scope.identity(space.containers)
    for d in range(DIMENSIONS):
        b.constrain(b.affine([(b.usage(scope, load[:, d]), 1.0)], -capacity[:, d]), spec=f"capacity {d}")
    b.minimize(b.total(b.usage(scope, load[:, 0])), spec="placed")
    return lower(b.build()).model


def _variables(n: int, m: int) -> tuple[Any, list[list[Any]]]:
    import pulp

    problem = pulp.LpProblem("assignment", pulp.LpMinimize)
    return problem, [[pulp.LpVariable(f"x_{o}_{c}", cat="Binary") for c in range(m)] for o in range(n)]


def build_pulp_sum(load: Array, capacity: Array) -> Any:
    """As in PuLP's own examples: `lpSum` over products."""
    import pulp

    n, m = load.shape[0], capacity.shape[0]
    problem, x = _variables(n, m)
    w, k = load.tolist(), capacity.tolist()
    problem += pulp.lpSum(w[o][0] * x[o][c] for o in range(n) for c in range(m))
    for o in range(n):
        problem += pulp.lpSum(x[o]) == 1
    for c in range(m):
        for d in range(DIMENSIONS):
            problem += pulp.lpSum(w[o][d] * x[o][c] for o in range(n)) <= k[c][d]
    return problem


def build_pulp_fast(load: Array, capacity: Array) -> Any:
    """As fast as PuLP allows: expressions made from (variable, coefficient) pairs, no arithmetic."""
    import pulp

    n, m = load.shape[0], capacity.shape[0]
    problem, x = _variables(n, m)
    w, k = load.tolist(), capacity.tolist()
    problem += pulp.LpAffineExpression([(x[o][c], w[o][0]) for o in range(n) for c in range(m)])
    for o in range(n):
        expression = pulp.LpAffineExpression([(v, 1) for v in x[o]])
        problem += pulp.LpConstraint(expression, pulp.LpConstraintEQ, rhs=1)
    for c in range(m):
        for d in range(DIMENSIONS):
            expression = pulp.LpAffineExpression([(x[o][c], w[o][d]) for o in range(n)])
            problem += pulp.LpConstraint(expression, pulp.LpConstraintLE, rhs=k[c][d])
    return problem


def _same(here: MilpModel, there: Any) -> None:
    """Raise unless both models have as many columns, rows and non-zeros and the same coefficient sum."""
    constraints = (
        list(there.constraints.values()) if isinstance(there.constraints, dict) else there.constraints()
    )
    counts = sum(len(c) for c in constraints), len(constraints), len(there.variables())
    if (here.matrix.nnz, here.n_rows, here.n_columns) != counts:
        raise SystemExit(
            f"the models differ: {here.matrix.nnz, here.n_rows, here.n_columns} here, {counts} in PuLP"
        )
    total = sum(sum(c.values()) for c in constraints)
    if abs(total - float(here.matrix.sum())) > 1e-6 * abs(total):
        raise SystemExit("the models differ in their coefficients")


def _timed(
    build: Callable[[Array, Array], Any], load: Array, capacity: Array, repeat: int
) -> tuple[list[float], Any]:
    seconds = []
    made = None
    for _ in range(repeat):
        made = None  # the one before is let go first, so that memory does not grow
        started = time.perf_counter()
        made = build(load, capacity)
        seconds.append(time.perf_counter() - started)
    return seconds, made


def main(arguments: Sequence[str]) -> int:
    """Run, print one JSON line, write it to a file if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks model-build", description=__doc__)
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--containers", type=int, default=250)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(arguments)
    load, capacity = data(asked.objects, asked.containers, asked.seed)
    here, model = _timed(build_here, load, capacity, asked.repeat)
    fast, problem = _timed(build_pulp_fast, load, capacity, asked.repeat)
    _same(model, problem)
    plain, problem = _timed(build_pulp_sum, load, capacity, asked.repeat)
    _same(model, problem)
    ours = statistics.median(here)
    line = {
        "benchmark": "model-build",
        "columns": model.n_columns,
        "rows": model.n_rows,
        "nonzeros": int(model.matrix.nnz),
        "fulcrum_seconds": here,
        "pulp_pairs_seconds": fast,
        "pulp_sum_seconds": plain,
        "times_faster_than_pulp_pairs": round(statistics.median(fast) / ours, 1),
        "times_faster_than_pulp_sum": round(statistics.median(plain) / ours, 1),
        "machine": machine_record("pulp", "numpy", "scipy"),
    }
    text = json.dumps(line)
    print(text)
    if asked.out is not None:
        asked.out.write_text(text + "\n", encoding="utf-8")
    return 0
