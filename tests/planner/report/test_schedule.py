"""`planner.report.schedule`: periods, ratios and changes as people read them."""

from __future__ import annotations

from rich.console import Console

from planner.plan.schedule import Change, PeriodPlan, RoleRatio, Schedule
from planner.report.schedule import MOST_APART, MOST_CHANGES, schedule_tables


def shown(*changes: Change) -> str:
    ratio = RoleRatio(workload="chat", prefill=3, decode=1, prefill_gpus=6, decode_gpus=4)
    periods = (
        PeriodPlan(
            period=0,
            placed=True,
            cost_per_hour=20.0,
            gpus_used=10,
            unserved_share=0.0,
            counts=(),
            ratios=(ratio,),
        ),
        PeriodPlan(
            period=1,
            placed=False,
            cost_per_hour=8.0,
            gpus_used=4,
            unserved_share=0.25,
            counts=(),
            changes=changes,
        ),
    )
    schedule = Schedule(period_length_s=3600.0, cost=28.5, bound=28.5, gap=0.0, periods=periods)
    console = Console(width=200)
    with console.capture() as capture:
        for table in schedule_tables(schedule):
            console.print(table)
    return capture.get()


def test_periods_show_the_ratio_and_what_is_not_served() -> None:
    text = shown()
    assert "28.50 together" in text
    assert "0 (placed)    10  20.00/h         –                       6:4" in text
    assert "25 %" in text
    assert "changes between periods" not in text


def test_changes_show_cost_saving_and_payback() -> None:
    change = Change(
        kind="reshard", model="chat", pool="a",
        before=("2 × chat decode TP1",), after=("1 × chat decode TP2",),
        cost=1.25, saves_per_hour=2.5, payback_s=1800.0,
    )  # fmt: skip
    text = shown(change)
    assert "chat is cut anew" in text
    assert "2 × chat decode TP1  1 × chat decode TP2  1.25  2.50/h      30 min" in text
    assert f"and {60 - MOST_CHANGES} more" in shown(*[change] * 60)


def test_many_workloads_apart_are_one_column() -> None:
    names = [f"w{n}" for n in range(MOST_APART + 1)]
    ratios = tuple(
        RoleRatio(workload=name, prefill=1, decode=2, prefill_gpus=4, decode_gpus=2) for name in names
    )
    period = PeriodPlan(
        period=0, placed=True, cost_per_hour=1.0, gpus_used=42, unserved_share=0.0, counts=(), ratios=ratios
    )
    console = Console(width=100)
    with console.capture() as capture:
        for table in schedule_tables(
            Schedule(period_length_s=60.0, cost=1.0, bound=None, gap=None, periods=(period,))
        ):
            console.print(table)
    text = capture.get()
    assert "7 workloads prefill:decode GPUs" in text
    assert "28:14" in text
