"""`planner.report`: what the terminal shows is what the plan says."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from planner.assemble import make_outcomes, make_pool_uses
from planner.plan import Diagnosis, Move, Objective, Plan, Stage
from planner.report.numbers import duration, money, rate, share
from planner.report.tables import MOST_ROWS, print_plan
from planner.testing import make_fleet, make_instance

FLEET = make_fleet()
INSTANCES = (
    make_instance("chat-mixed-0", (Stage("a/r0/n0", (0, 1)), Stage("a/r0/n0", (2, 3)))),
    make_instance("code-mixed-0", (Stage("a/r1/n1", (1,)),), workload="code", model="code"),
)
PLAN = Plan(
    fulcrum_version="1",
    fleet="test",
    fleet_digest="",
    seed=0,
    state="feasible",
    cost_per_hour=1234.5,
    instances=INSTANCES,
    workloads=make_outcomes(FLEET, INSTANCES),
    pools=make_pool_uses(FLEET, INSTANCES),
    objectives=(Objective(stage="sizing", name="cost", value=12.0, bound=None, gap=None),),
    moves=(Move(action="start", instance="chat-mixed-0", from_stages=(), to_stages=INSTANCES[0].stages),),
    basis=(),
    notes=("mind the gap",),
)


def shown(plan: Plan) -> str:
    out = io.StringIO()
    print_plan(plan, Console(file=out, width=160, color_system=None))
    return out.getvalue()


def test_everything_is_there() -> None:
    text = shown(PLAN)
    for words in (
        "fleet test: feasible, 5 of 34 GPUs, 1,234.50/h",
        "chat-mixed-0 [0-1 | 2-3]",
        "code-mixed-0 [1]",
        "p95 ≤ 1.00 s",
        "unproven",
        "start   chat-mixed-0  –",
        "note: mind the gap",
    ):
        assert words in text


def test_a_plan_without_instances_is_one_line() -> None:
    why = Diagnosis(limit="supply", subject="a", message="m", closest="c")
    empty = replace(
        PLAN, state="infeasible", instances=(), pools=(), objectives=(), moves=(), notes=(), diagnosis=why
    )
    assert shown(empty).strip().count("\n") == 0


def test_long_lists_are_cut_and_say_so() -> None:
    moves = tuple(replace(PLAN.moves[0], instance=f"i{n}") for n in range(MOST_ROWS + 5))
    assert "and 5 more moves" in shown(replace(PLAN, moves=moves))


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "–"),
        (0.5, "0.50 ms"),
        (38.24, "38.2 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (12345, "12.3 s"),
    ],
)
def test_durations(ms: float | None, text: str) -> None:
    assert duration(ms) == text


def test_other_numbers() -> None:
    assert (rate(0), rate(13.2), rate(4400)) == ("0.00/s", "13.2/s", "4,400/s")
    assert money(1234.5) == "1,234.50/h"
    assert [share(v) for v in (None, 0.0, 1e-13, 0.00123, 0.5)] == [
        "unproven",
        "0 %",
        "0 %",
        "0.12 %",
        "50 %",
    ]


def test_degrees_of_experts_are_shown_where_there_are_any() -> None:
    def columns(plan: Plan) -> set[str]:
        return {word for line in shown(plan).splitlines() for word in line.split()}

    assert {"TP", "PP"} <= columns(PLAN)
    assert not {"DP", "EP"} & columns(PLAN)
    shared = replace(PLAN.instances[0], data_parallel_size=2, expert_parallel_size=4)
    assert {"DP", "EP"} <= columns(replace(PLAN, instances=(shared, PLAN.instances[1])))
