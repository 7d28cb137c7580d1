"""Outcomes as values."""

import pytest

from models.errors import InvalidInput, SolverFailed
from planner.executors.task import Limits, Outcome, values_of


def test_the_first_task_without_a_value_is_told():
    done = Outcome(state="done", value=1)
    assert values_of([done, done]) == [1, 1]
    with pytest.raises(SolverFailed, match="task 2 of 3: it was killed after 1 s"):
        values_of([done, Outcome(state="timed_out", message="it was killed after 1 s"), done])
    with pytest.raises(KeyError):
        values_of([Outcome(state="failed", error=KeyError("x"))])


@pytest.mark.parametrize(
    "limits", [{"time_s": 0}, {"memory_bytes": 0}, {"retries": -1}, {"time_s": float("nan")}]
)
def test_limits_that_cannot_be(limits):
    with pytest.raises(InvalidInput):
        Limits(**limits)
