"""`planner.plan.codec`: canonical JSON out, checked JSON in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from models.errors import InvalidInput
from planner.plan import Plan, PoolUse, Stage
from planner.plan.codec import plan_schema
from planner.testing import make_instance

PLAN = Plan(
    fulcrum_version="1",
    fleet="x",
    fleet_digest="d",
    seed=0,
    state="optimal",
    cost_per_hour=1 / 3,
    instances=(make_instance("i", (Stage("a/r0/n0", (0, 1)),)),),
    workloads=(),
    pools=(PoolUse(name="a", gpu="h", nodes=1, gpus_per_node=8, gpus_used=2, cost_per_hour=-0.0),),
    objectives=(),
    moves=(),
    basis=(),
)


def test_text_is_canonical() -> None:
    text = PLAN.to_json()
    assert text == PLAN.to_json()
    assert text.endswith("}\n")
    values = json.loads(text)
    assert list(values) == sorted(values)
    assert values["cost_per_hour"] == 0.333333  # six significant digits
    assert '"cost_per_hour": 0.0' in text  # no minus zero


@pytest.mark.parametrize("number", [1.0, 1e-12, 123456789.0, 2.5e17, 99999.95, 0.1 + 0.2])
def test_reading_back_and_writing_again_changes_nothing(number: float) -> None:
    text = replace(PLAN, cost_per_hour=number).to_json()
    back = Plan.from_json(text)
    assert back.to_json() == text
    assert back.cost_per_hour == pytest.approx(number, rel=1e-5)


def test_reading_back_gives_equal_values() -> None:
    assert Plan.from_json(PLAN.to_json()).instances == PLAN.instances


def test_a_plan_from_before_expert_parallelism_shares_none() -> None:
    values = json.loads(PLAN.to_json())
    for name in ("data_parallel_size", "expert_parallel_size"):
        assert values["instances"][0].pop(name) == 1
    assert Plan.from_json(json.dumps(values)).instances == PLAN.instances


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"nodes": 1', '"nods": 1', "pools[0]: unknown key 'nods'; did you mean 'nodes'?"),
        ('"nodes": 1', '"nodes": 1.5', "pools[0].nodes: expected a whole number, got 1.5"),
        ('"optimal"', '"optimel"', "state: unknown value 'optimel'; did you mean 'optimal'?"),
        ('"fleet": "x",', "", "missing key 'fleet'"),
        ('"seed": 0', '"seed": NaN', "not valid JSON"),
        ('"fulcrum.plan/1"', '"fulcrum.plan/9"', "schema: unknown value 'fulcrum.plan/9'"),
        ("}\n", "", "not valid JSON"),
    ],
)
def test_what_is_not_a_plan_says_where(old: str, new: str, message: str) -> None:
    text = PLAN.to_json()
    assert old in text
    broken = text.removesuffix(old) if new == "" and old == "}\n" else text.replace(old, new)
    with pytest.raises(InvalidInput) as caught:
        Plan.from_json(broken, source="p.json")
    assert message in str(caught.value)
    assert str(caught.value).startswith("p.json:")


def test_schema_describes_every_field() -> None:
    schema = plan_schema()
    for definition in [schema, *schema["$defs"].values()]:
        assert definition["additionalProperties"] is False
        for name, field in definition["properties"].items():
            assert field.get("description") or "$ref" in field, name
