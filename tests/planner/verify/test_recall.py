"""`planner.verify.recall`: what a plan learnt is known to the next one, where it still holds."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import planner.pipeline
from planner.candidates.enumerate import Candidates, enumerate_candidates
from planner.clock import Clock
from planner.fleet import Fleet, read_fleet
from planner.options import PlanOptions, Progress
from planner.pipeline import plan_fleet
from planner.plan import Plan
from planner.verify import Replayer, recalled

DOCUMENT = """
fleet: t
pools: [{name: a, gpu: h100-sxm-80gb, nodes: 3, gpus_per_node: 4, price_per_gpu_hour: 2}]
models: [{name: m, architecture: llama-3.1-8b}]
workloads:
  - {model: m, rate: 60/s, slo: {ttft_p95: 500ms, tpot_p95: 20ms},
     lengths: {levels: [0, 1], input_tokens: [200, 900], output_tokens: [50, 200]}}
policies: {parallelism: {tensor: [1], pipeline: [1]}, roles: [mixed], headroom: 5%}
"""
FACTOR = 4.0


def _overstated(fleet: Fleet, **options: Any) -> Candidates:
    found = enumerate_candidates(fleet, **options)
    accepted = (dataclasses.replace(c, capacity_per_s=c.capacity_per_s * FACTOR) for c in found.accepted)
    return dataclasses.replace(found, accepted=tuple(accepted))


def _plan(current: Plan | None) -> tuple[Plan, int]:
    """A plan, and how many were made for it."""
    heard: list[Progress] = []
    clock = Clock(options=PlanOptions(), progress=heard.append)
    plan = plan_fleet(read_fleet(DOCUMENT), clock, current=current).plan
    return plan, sum(p.phase == "assembling" for p in heard)


def test_what_was_corrected_is_not_learnt_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner.pipeline, "known_candidates", _overstated)
    first, rounds = _plan(None)
    assert first.verification is not None
    assert first.verification.met
    assert first.verification.corrections
    assert rounds > 1
    second, rounds = _plan(Plan.from_json(first.to_json()))
    assert rounds == 1
    assert second.verification is not None
    assert second.verification.met
    assert len(second.verification.corrections) == 1
    assert second.cost_per_hour == first.cost_per_hour
    assert not second.moves


def test_what_simulation_does_not_bear_out_is_not_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan that runs says less, or more, than its instances carry: it was for other requests."""
    fleet = read_fleet(DOCUMENT)
    plan, _ = _plan(None)
    replayer = Replayer(fleet=fleet, seed=0)
    right = enumerate_candidates(fleet).accepted

    def saying(factor: float) -> Plan:
        changed = (
            dataclasses.replace(
                i, expected=dataclasses.replace(i.expected, capacity_per_s=i.expected.capacity_per_s * factor)
            )
            for i in plan.instances
        )
        assert plan.verification is not None
        label = next(c.label for c in right if c.shape == plan.instances[0].shape)
        verification = dataclasses.replace(plan.verification, corrections=(f"{label}: 1/s by simulation",))
        return dataclasses.replace(plan, instances=tuple(changed), verification=verification)

    assert recalled(replayer, saying(0.5), right) is None  # they carry what the formulas say
    assert recalled(replayer, saying(1.0), right) is None
    wrong = _overstated(fleet).accepted
    assert recalled(replayer, saying(FACTOR * 0.95), wrong) is None  # neither of the two is carried
    unsaid = dataclasses.replace(saying(0.5), verification=plan.verification)
    assert recalled(replayer, unsaid, wrong) is None  # simulation had corrected nothing
    found = recalled(replayer, saying(0.5), wrong)
    assert found is not None
    (kept,) = {c.capacity_per_s for c in found.candidates if c.shape == plan.instances[0].shape}
    carried = plan.instances[0].expected.capacity_per_s
    assert kept == pytest.approx(
        carried, rel=0.2
    )  # formulas and simulation agree that far; half of it is stale
