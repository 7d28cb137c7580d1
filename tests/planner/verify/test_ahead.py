"""Simulations elsewhere are those made here, to the bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.clock import Clock
from planner.options import PlanOptions
from planner.pipeline import plan_fleet
from planner.testing import make_candidate, make_fleet
from planner.verify.ahead import Simulation, simulate_all
from planner.verify.replay import Replayer


def test_the_same_latencies_and_the_same_plan(executor):
    fleet = make_fleet("node")
    chat = make_candidate(fleet)
    code = replace(chat, workload="code", model="code", pool="b", gpu="h200-sxm-141gb")
    wanted = [
        Simulation(candidate=candidate, rate_per_s=rate, count=400)
        for candidate in (chat, code)
        for rate in (1.0, 5.0)
    ]
    here = Replayer(fleet=fleet, seed=3)
    found = simulate_all([*wanted, wanted[0]], fleet, 3, executor)
    there = plan_fleet(fleet, Clock(options=PlanOptions(), executor=executor)).plan
    assert list(found) == wanted
    for one in wanted:
        expected = here.latencies(one.candidate, one.rate_per_s, one.count)
        np.testing.assert_array_equal(found[one].ttft_ms, expected.ttft_ms)
        np.testing.assert_array_equal(found[one].tpot_ms, expected.tpot_ms)
    assert there.verification.replays
    assert there.to_json() == plan_fleet(fleet, Clock(options=PlanOptions())).plan.to_json()
