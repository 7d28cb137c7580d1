import dataclasses

import pytest

from planner.plan import Expectation, Stage
from planner.testing import make_instance
from planner.transition import LoadTier, StepTimes


def instance(name, node, gpus, capacity=1.0, *, workload="chat", **changes):
    made = make_instance(name, (Stage(node, tuple(gpus)),), workload=workload, model=workload, **changes)
    expected = Expectation(
        rate_per_s=capacity, capacity_per_s=capacity, ttft_ms=100.0, tpot_ms=20.0, concurrency=4.0
    )
    return dataclasses.replace(made, expected=expected)


@pytest.fixture(scope="session")
def make():
    return instance


@pytest.fixture(scope="session")
def times():
    return StepTimes(
        weight_bytes=lambda _: 16e9,
        tiers=lambda _: (LoadTier("disk", 2e9), LoadTier("host", 8e9)),
        start_s=10.0,
        switch_s=1.0,
        answer_tokens=1000.0,
    )
