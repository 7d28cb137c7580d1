from __future__ import annotations

from planner.service.finished import FinishedPlans
from planner.service.gen.fulcrum.v1.plan_pb2 import Plan


def plan(size):
    message = Plan(document="x" * size)
    message.document = "x" * (size - (message.ByteSize() - size))
    assert message.ByteSize() == size
    return message


def test_a_plan_belongs_to_its_tenant():
    kept = FinishedPlans()
    kept.put("a", "1", plan(10))

    assert kept.get("a", "1") == plan(10)
    assert kept.get("b", "1") is None


def test_what_was_not_asked_for_the_longest_goes_first():
    kept = FinishedPlans(most_bytes=30)
    for name in "123":
        kept.put("a", name, plan(10))
    kept.get("a", "1")

    kept.put("a", "4", plan(10))

    assert [name for name in "1234" if kept.get("a", name)] == ["1", "3", "4"]


def test_what_is_larger_than_everything_is_not_kept():
    kept = FinishedPlans(most_bytes=30)
    kept.put("a", "1", plan(10))

    kept.put("a", "2", plan(31))

    assert kept.get("a", "2") is None
    assert kept.get("a", "1") is not None
