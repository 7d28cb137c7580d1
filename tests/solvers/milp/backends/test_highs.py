"""HiGHS as we drive it: right on the models its presolve is known to get wrong, quiet, punctual."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import sparse

from solvers.milp.backend import Task
from solvers.milp.backends import backend
from solvers.milp.model import MilpModel


def task(matrix, row_lower, row_upper, lower, upper, integer, cost, **changes):
    a = sparse.csr_array(np.array(matrix, float))
    model = MilpModel(
        np.array(lower, float),
        np.array(upper, float),
        np.array(integer, bool),
        np.where(integer, 1_000_000, -1),
        np.full(len(lower), -1),
        a,
        np.array(row_lower, float),
        np.array(row_upper, float),
        np.full(a.shape[0], -1),
    )
    asked = {
        "start": None,
        "time_limit_s": None,
        "gap": 1e-6,
        "threads": 1,
        "seed": 0,
        "on_progress": lambda objective, bound: False,
    }
    return Task(model=model, cost=np.array(cost, float), offset=0.0, **(asked | changes))


def test_mixed_row_whose_singletons_1_14_0_fixes_wrongly():
    # min 2x + 3z, x + z >= 4.5, z whole: x = 4.5 costs 9; release 1.14.0 with presolve says 15
    out = backend("highs").solve(task([[1, 1]], [4.5], [np.inf], [0, 0], [10, 10], [0, 1], [2, 3]))
    assert out.finished
    assert out.bound == pytest.approx(9.0)
    assert out.x == pytest.approx([4.5, 0.0])


def test_infeasible_is_an_outcome():
    out = backend("highs").solve(task([[1, 1]], [3], [np.inf], [0, 0], [1, 1], [1, 1], [1, 1]))
    assert out.infeasible
    assert out.x is None


def test_a_model_without_rows():
    out = backend("highs").solve(task(np.zeros((0, 2)), [], [], [0, 0], [3, 4], [1, 0], [-1, 1]))
    assert out.x == pytest.approx([3, 0])
    assert out.bound == pytest.approx(-3)


def _hard(seed=0, n=60, m=30):
    """A market split like problem no solver closes quickly."""
    rng = np.random.default_rng(seed)
    a = rng.integers(1, 100, (m, n))
    slack = np.hstack([np.eye(m), -np.eye(m)])
    half = np.floor(a.sum(axis=1) / 2)
    lower, upper = np.zeros(n + 2 * m), np.append(np.ones(n), np.full(2 * m, 5000.0))
    integer = np.arange(n + 2 * m) < n
    return np.hstack([a, slack]), half, half, lower, upper, integer, np.append(np.zeros(n), np.ones(2 * m))


def test_completing_a_start_is_not_reported_as_a_bound():
    """With the first columns fixed the problem is another one; its bound says nothing about the whole."""
    seen = []

    def heard(objective, bound):
        del objective
        if bound is not None:
            seen.append(bound)
        return False

    problem = _hard(n=20, m=4)
    out = backend("highs").solve(task(*problem, start=np.zeros(20), time_limit_s=2.0, on_progress=heard))
    assert out.x is not None
    found = float(problem[-1] @ out.x)
    assert found < float(problem[1].sum())  # better than the start
    assert max(seen, default=-np.inf) <= found + 1e-6


def test_the_time_limit_is_kept():
    started = time.monotonic()
    out = backend("highs").solve(task(*_hard(), time_limit_s=1.0))
    assert time.monotonic() - started < 2.0
    assert not out.finished
    assert out.x is not None
    assert out.bound is not None


def test_progress_can_stop_it():
    heard = []

    def listen(objective, bound):
        heard.append((objective, bound))
        return len(heard) > 20

    started = time.monotonic()
    out = backend("highs").solve(task(*_hard(1), time_limit_s=30.0, on_progress=listen))
    assert time.monotonic() - started < 10.0
    assert not out.finished
    assert any(objective is not None for objective, _ in heard)


def test_nothing_is_printed(capfd):
    backend("highs").solve(task([[1, 1]], [1], [2], [0, 0], [1, 1], [1, 1], [1, 2]))
    assert capfd.readouterr() == ("", "")


def test_another_number_of_threads_in_one_process():
    for threads in (1, 2, 1):
        out = backend("highs").solve(
            task([[1, 1]], [1], [2], [0, 0], [1, 1], [1, 1], [1, 2], threads=threads)
        )
        assert out.bound == pytest.approx(1.0)
