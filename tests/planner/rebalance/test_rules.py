"""When the job acts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.errors import InvalidInput
from planner.plan import Plan
from planner.plan.instance import Stage
from planner.plan.outcome import Move, WorkloadOutcome
from planner.rebalance.rules import (
    Rules,
    missed_targets,
    reason_to_stay,
    reasons_against,
    reasons_to_plan,
)
from planner.testing import make_instance


def outcome(capacity: float, *, unserved: float = 0.0) -> WorkloadOutcome:
    return WorkloadOutcome(
        name="chat", demand_per_s=capacity, capacity_per_s=1.2 * capacity, surviving_capacity_per_s=capacity,
        unserved_per_s=unserved, ttft_percentile=95, ttft_target_ms=1000, ttft_ms=900, tpot_percentile=95,
        tpot_target_ms=40, tpot_ms=38,
    )  # fmt: skip


def on(made: Plan, *gpus: int) -> Plan:
    instances = [make_instance(f"chat-{gpu}", (Stage("a/r0/n0", (gpu,)),)) for gpu in gpus]
    return replace(made, instances=tuple(instances))


def plan(
    capacity: float, *, price: float = 100.0, unserved: float = 0.0, moves: int = 0, empty: bool = False
) -> Plan:
    instance: Any = object()
    return Plan(
        fulcrum_version="0", fleet="f", fleet_digest="0", seed=0, state="optimal", cost_per_hour=price,
        instances=() if empty else (instance,), workloads=(outcome(capacity, unserved=unserved),), pools=(),
        objectives=(), basis=(),
        moves=tuple(
            Move(action="start", instance=str(i), from_stages=(), to_stages=()) for i in range(moves)
        ),
    )  # fmt: skip


RULES = Rules(min_saving=0.1, max_moves=3, cooldown_s=100)


@pytest.mark.parametrize(
    ("demand", "since", "acts"),
    [
        (10.0, 5.0, False),
        (10.1, 5.0, True),
        (9.5, 500.0, False),
        (8.0, 500.0, True),
        (8.0, 50.0, False),
        (8.0, None, True),
    ],
)
def test_hysteresis(demand: float, since: float | None, acts: bool) -> None:
    """Growth at once; a saving only when it is large enough and the last change is long ago."""
    assert bool(reasons_to_plan(RULES, plan(10), {"chat": demand}, since)) is acts


def test_a_first_plan_and_changed_workloads_are_reasons() -> None:
    assert reasons_to_plan(RULES, None, {"chat": 1.0}, None) == ("no plan is promoted yet",)
    (reason, gone) = reasons_to_plan(RULES, plan(10), {"code": 1.0}, None)
    assert "code: 1/s are expected, the promoted plan carries 0/s" in reason
    assert "chat: is not a workload of the fleet any more" in gone


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (plan(10, empty=True), "runs nothing"),
        (plan(10, unserved=1.0), "1/s would not be served"),
        (plan(10, moves=4), "4 moves, more than the cap of 3"),
    ],
)
def test_what_needs_someone_to_say_yes(new: Plan, reason: str) -> None:
    assert reason in "; ".join(reasons_against(RULES, new))
    assert reasons_against(RULES, plan(10, moves=3)) == ()


def test_small_savings_are_not_worth_moves() -> None:
    demand = {"chat": 8.0}
    assert reason_to_stay(RULES, plan(10), plan(8, price=95), demand) is not None
    assert reason_to_stay(RULES, plan(10), plan(8, price=80), demand) is None
    assert (
        reason_to_stay(RULES, plan(7), plan(8, price=120), demand) is None
    )  # it must grow, whatever it costs
    assert reason_to_stay(RULES, None, plan(8), demand) is None


def test_misses_count_only_at_loads_the_plan_carries() -> None:
    current, before = on(plan(10), 1), on(plan(10), 0)
    late = {"chat": (1200.0, 39.0)}
    assert missed_targets(RULES, current, before, late, {"chat": 9.0}) == (
        "chat: TTFT is 1200 ms, the target 1000 ms",
    )
    assert missed_targets(RULES, current, before, late, {"chat": 13.0}) == ()
    assert missed_targets(RULES, current, before, {"chat": (1050.0, None)}, {"chat": 9.0}) == ()
    assert missed_targets(RULES, current, before, late, {"chat": 9.0}, ["chat"]) == ()


def test_nothing_is_taken_back_that_would_not_help() -> None:
    late, load = {"chat": (1200.0, 39.0)}, {"chat": 9.0}
    assert missed_targets(RULES, on(plan(10), 0), on(plan(10), 1), late, load)
    assert missed_targets(RULES, on(plan(10), 0, 1), on(plan(10), 1), late, load) == ()  # only added to
    assert missed_targets(RULES, on(plan(10), 0), on(plan(5), 1), late, load) == ()  # could not carry it
    assert missed_targets(RULES, on(plan(10), 0), on(plan(5), 1), late, {"chat": 5.0})


@pytest.mark.parametrize(
    "wrong",
    [{"horizon_s": 0.0}, {"min_saving": 1.0}, {"max_moves": 0}, {"confidence": 1.0}, {"cooldown_s": -1.0}],
)
def test_rules_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        replace(RULES, **wrong)
