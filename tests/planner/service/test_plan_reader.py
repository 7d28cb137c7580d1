"""Plan → message → plan: the typed fields hold everything that is in the canonical JSON."""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import replace
from typing import Any, Literal, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import often

from models.errors import InvalidInput
from planner.plan import Plan
from planner.service.convert import plan_message
from planner.service.gen.fulcrum.v1 import plan_pb2
from planner.service.plan_reader import plan_of
from planner.store.records import PlanOptionsRecord, PlanRecord, PlanState

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
COUNT = st.integers(0, 2**31 - 1)
FIGURE = st.floats(-1e12, 1e12).map(lambda figure: float(f"{figure:.6g}"))
SECONDS = st.integers(0, 10**9).map(lambda milliseconds: milliseconds / 1000)
"""Durations of messages have nanoseconds, and plans six digits."""


def any_of(kind: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Values of an annotated type of `planner.plan`."""
    arguments = typing.get_args(kind)
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind):
        return dataclass_of(kind)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(any_of(arguments[0], name), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(TEXT, any_of(arguments[1], name), max_size=2)
    if origin in (Union, types.UnionType):
        return st.none() | any_of(arguments[0], name)
    if kind is float:
        return SECONDS if name.endswith("_s") and not name.endswith("per_s") else FIGURE
    return {str: TEXT, int: COUNT, bool: st.booleans()}[kind]


def dataclass_of(kind: Any) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{f.name: any_of(hints[f.name], f.name) for f in dataclasses.fields(kind)})


def sensible(plan: Plan) -> Plan:
    """Without what no plan says: no version, a price where nothing runs, capacities of workloads without a
    floor, a transition that nothing blocks.
    """
    plan = replace(plan, fulcrum_version=f"1{plan.fulcrum_version}")
    if plan.diagnosis is not None:
        plan = replace(plan, cost_per_hour=0.0)
    if (way := plan.transition) is None:
        return plan
    floors = way.floors_per_s
    lowest = dict(zip(floors, way.lowest_per_s.values(), strict=False))
    blocked = replace(way.blocked, workload="chat") if way.blocked is not None else None
    return replace(plan, transition=replace(way, lowest_per_s=lowest, blocked=blocked))


def record_of(plan: Plan) -> PlanRecord:
    return PlanRecord(
        id="0" * 32, tenant="t", fleet=plan.fleet, state=PlanState(plan.state), revision=1, create_us=0,
        start_us=0, end_us=0, document="", options=PlanOptionsRecord(seed=plan.seed), current_json=None,
        request_id=None, request_digest="", result_json=plan.to_json(), error=None, attempt_count=1,
        cancel_requested=False,
    )  # fmt: skip


PLANS = dataclass_of(Plan).map(sensible)


@given(PLANS)
@settings(max_examples=often(30), deadline=None)
def test_nothing_of_a_plan_is_lost(plan):
    message = plan_message(record_of(plan), full=True)
    message.ClearField("canonical_json")
    read = plan_pb2.Plan.FromString(message.SerializeToString())

    assert plan_of(read).to_json() == plan.to_json()


def test_a_message_without_a_plan_is_refused():
    with pytest.raises(InvalidInput, match="plans/1 holds no plan"):
        plan_of(plan_pb2.Plan(name="plans/1", state=plan_pb2.Plan.STATE_RUNNING))
    with pytest.raises(InvalidInput, match="fetch it in full"):
        plan_of(plan_pb2.Plan(name="plans/1", state=plan_pb2.Plan.STATE_OPTIMAL))
