from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from planner.options import PlanOptions
from planner.pipeline import create_plan
from planner.plan import Plan

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def plan() -> Plan:
    text = (EXAMPLES / "one_model.yaml").read_text()
    return create_plan(text, base_dir=EXAMPLES, options=PlanOptions(verify=False))


def test_equal_instances_are_one_row(plan):
    twice = replace(plan, instances=plan.instances * 2)
    assert f"<td>{len(plan.instances) * 2}</td>" in twice._repr_html_() or len(plan.instances) > 1
    assert "fleet one-model: optimal" in plan._repr_html_()


def test_the_frame_has_a_row_an_instance(plan):
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = plan.to_dataframe()
    assert list(frame["name"]) == [instance.name for instance in plan.instances]
    assert frame["gpus"].sum() == sum(pool.gpus_used for pool in plan.pools)
    assert frame["price_per_hour"].sum() == pytest.approx(plan.cost_per_hour)
