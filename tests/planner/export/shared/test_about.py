"""A plan over periods says which one is written."""

from collections.abc import Callable
from dataclasses import fields as dataclass_fields
from dataclasses import replace

import yaml

from planner.export import export
from planner.export.shared.about import period_note
from planner.plan import Plan
from planner.plan.schedule import PeriodPlan, Schedule


def period(number: int, *, placed: bool) -> PeriodPlan:
    return PeriodPlan(
        period=number, placed=placed, cost_per_hour=1.0, gpus_used=1, unserved_share=0.0, counts=()
    )


def test_the_placed_period_is_named(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan("one-node")
    assert period_note(plan) == ""
    fields = {field.name: 0.0 for field in dataclass_fields(Schedule)} | {
        "periods": (period(0, placed=False), period(1, placed=True))
    }
    over = replace(plan, schedule=Schedule(**fields))  # type: ignore[arg-type]
    said = "# period 1 of 2: the others are sized in the plan, not placed\n"
    assert export(over, "vllm").startswith(said)
    text = export(over, "kubernetes")
    assert text.splitlines(keepends=True)[1] == said
    assert list(yaml.safe_load_all(text)) == list(yaml.safe_load_all(export(plan, "kubernetes")))
