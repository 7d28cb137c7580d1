"""`planner.clock`: what is left of the time limit, and progress on its way out."""

from __future__ import annotations

import pytest

from models.errors import InvalidInput
from planner.clock import SHORTEST_SOLVE_S, Clock
from planner.options import PlanOptions, Progress
from solvers.options import Progress as SolverProgress


def test_each_solve_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    clock = Clock(options=PlanOptions(time_limit_s=10, seed=7, threads=2), started=now[0])
    first = clock.solve_options("sizing")
    assert (first.time_limit_s, first.seed, first.threads) == (pytest.approx(6), 7, 2)
    now[0] += 8
    assert clock.solve_options("placement").time_limit_s == pytest.approx(1.2)
    assert not clock.is_over
    now[0] += 8
    assert clock.is_over
    assert clock.solve_options("placement").time_limit_s == SHORTEST_SOLVE_S


def test_no_limit_is_no_limit() -> None:
    clock = Clock(options=PlanOptions())
    assert clock.solve_options("sizing").time_limit_s is None
    assert clock.solve_options("sizing").on_progress is None
    assert not clock.is_over
    assert not clock.is_cancelled


def test_progress_of_a_solver_is_passed_on_with_the_phase() -> None:
    heard: list[Progress] = []
    clock = Clock(options=PlanOptions(), progress=heard.append)
    clock.report("candidates")
    forward = clock.solve_options("sizing").on_progress
    assert forward is not None
    forward(SolverProgress(phase="milp", elapsed_s=1.0, tier=0, objective=3.0, bound=2.0, gap=1 / 3))
    assert [(p.phase, p.objective, p.bound) for p in heard] == [
        ("candidates", None, None),
        ("sizing", 3.0, 2.0),
    ]


@pytest.mark.parametrize(
    "wrong",
    [{"time_limit_s": 0}, {"time_limit_s": float("nan")}, {"seed": -1}, {"seed": 2**31}, {"threads": 0}],
)
def test_options_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        PlanOptions(**wrong)  # type: ignore[arg-type]
