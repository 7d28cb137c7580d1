import io

import pytest
from rich.console import Console

from planner.plan.transition import Blocked, RollbackPoint, Step, Transition
from planner.report.transition import clock_time, print_transition


def printed(transition):
    out = io.StringIO()
    print_transition(transition, Console(file=out, width=200, color_system=None))
    return out.getvalue()


def transition(steps=(), **changes):
    return Transition(
        **{
            "steps": tuple(steps), "duration_s": 90.0, "lowest_per_s": {"chat": 5.0},
            "floors_per_s": {"chat": 4.0}, "assumptions": ("so it is",),
            "rollback": (
                RollbackPoint(after_step=-1, restarts=0, reload_s=0.0),
                RollbackPoint(after_step=0, restarts=0, reload_s=0.0),
                RollbackPoint(after_step=1, restarts=1, reload_s=70.0),
            ), **changes,
        }
    )  # fmt: skip


def step(index, kind, instance):
    return Step(
        index=index, kind=kind, instance=instance, workload="chat", stages=(), start_s=0.0, end_s=90.0,
        after=(), side="new", surge=kind == "load",
    )  # fmt: skip


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3661, "1:01:01")])
def test_clock_time(seconds, text):
    assert clock_time(seconds) == text


def test_steps_floors_and_the_way_back():
    text = printed(transition([step(0, "load", "x"), step(1, "check", "")]))
    assert "load (surge)" in text
    assert "all of chat" in text
    assert "1:30 in all; chat never below 5.00/s (floor 4.00/s); going back is free until step 0" in text
    assert "note: so it is" in text


def test_long_lists_are_cut():
    assert "and 3 more steps" in printed(transition([step(k, "switch", f"i{k}") for k in range(63)]))


def test_blocked_and_empty():
    blocked = Blocked(workload="chat", reason="x cannot stop", proven=True)
    assert "no safe way from the current plan: x cannot stop" in printed(transition(blocked=blocked))
    assert "nothing changes" in printed(transition())
