"""Plans of a small fleet whose predictions are made too good: the simulator finds out."""

import dataclasses

import numpy as np
import pytest
import yaml

import planner.pipeline
from planner.candidates.enumerate import enumerate_candidates
from planner.clock import Clock
from planner.fleet import read_fleet
from planner.options import PlanOptions
from planner.pipeline import plan_fleet

DOCUMENT = {
    "fleet": "t",
    "pools": [{"name": "a", "gpu": "h100-sxm-80gb", "nodes": 3, "gpus_per_node": 4, "price_per_gpu_hour": 2}],
    "models": [{"name": "m", "architecture": "llama-3.1-8b"}],
    "workloads": [
        {
            "model": "m",
            "rate": "60/s",
            "lengths": {"levels": [0, 1], "input_tokens": [200, 900], "output_tokens": [50, 200]},
            "slo": {"ttft_p95": "500ms", "tpot_p95": "20ms"},
        }
    ],
    "policies": {"parallelism": {"tensor": [1], "pipeline": [1]}, "roles": ["mixed"], "headroom": "5%"},
}


@pytest.fixture
def overstated(monkeypatch):
    """Every candidate is said to carry `factor` times what it does."""

    def by(factor):
        def enumerate_(fleet, **options):
            found = enumerate_candidates(fleet, **options)
            accepted = [
                dataclasses.replace(c, capacity_per_s=c.capacity_per_s * factor) for c in found.accepted
            ]
            return dataclasses.replace(found, accepted=tuple(accepted))

        monkeypatch.setattr(planner.pipeline, "known_candidates", enumerate_)

    return by


def make(nodes=3, rate="60/s", **options):
    pools = [DOCUMENT["pools"][0] | {"nodes": nodes}]
    workloads = [DOCUMENT["workloads"][0] | {"rate": rate}]
    fleet = read_fleet(yaml.safe_dump(DOCUMENT | {"pools": pools, "workloads": workloads}))
    return plan_fleet(fleet, Clock(options=PlanOptions(**options))).plan


def test_a_sound_plan_is_verified_at_both_loads():
    plan = make()
    assert plan.verification.met
    assert plan.verification.arrivals == "poisson"
    assert plan.verification.corrections == ()
    assert [r.load for r in plan.verification.replays] == ["stated", "peak"]
    stated, peak = plan.verification.replays
    assert (stated.rate_per_s, peak.rate_per_s) == (60.0, 63.0)
    assert stated.tpot.at_percentile_ms == stated.tpot.p95_ms <= 20
    assert stated.tpot.p50_ms <= peak.tpot.p50_ms
    assert 0.95 <= peak.attainment <= stated.attainment <= 1
    assert make().to_json() == plan.to_json()


def test_arrivals_of_a_stated_burstiness_are_drawn_so_and_called_so():
    (first,) = DOCUMENT["workloads"]
    second = first | {"name": "bursty", "burstiness": 0.5}
    for workloads, words in (([second], "gamma"), ([first, second], "poisson and gamma")):
        fleet = read_fleet(yaml.safe_dump(DOCUMENT | {"workloads": workloads}))
        plan = plan_fleet(fleet, Clock(options=PlanOptions())).plan
        assert plan.verification.arrivals == words


def test_a_plan_that_misses_is_sized_again_and_then_holds(overstated):
    sound = make(rate="150/s")
    overstated(3.0)
    plan = make(rate="150/s")
    assert plan.verification.met
    assert len(plan.instances) >= len(sound.instances)
    (sentence,) = plan.verification.corrections
    assert "by simulation, not" in sentence
    first = make(rate="150/s", verify=False)
    assert len(first.instances) < len(plan.instances)
    assert first.verification is None


def test_what_no_supply_can_repair_is_said(overstated):
    overstated(8.0)
    plan = make(nodes=1, rate="400/s")
    assert plan.instances
    assert not plan.verification.met
    assert any("misses its targets in simulation at stated load" in note for note in plan.notes)
    assert any("no plan was found" in note for note in plan.notes)


def with_trace(tmp_path, gaps, **policies):
    """The document with a trace of 4,000 requests at 60/s in the mean, so spaced."""
    random = np.random.default_rng(0)
    times = np.cumsum(gaps(random, 4000))
    times *= 4000 / 60 / times[-1]
    lengths = np.stack((random.integers(200, 900, 4000), random.integers(50, 200, 4000)))
    rows = "\n".join(f"{t:.6f},{i},{o}" for t, i, o in zip(times, *lengths, strict=True))
    (tmp_path / "trace.csv").write_text(f"at,in,out\n{rows}\n")
    workload = {k: v for k, v in DOCUMENT["workloads"][0].items() if k not in ("rate", "lengths")}
    workload |= {"trace": "trace.csv", "columns": {"arrival": "at", "input": "in", "output": "out"}}
    document = DOCUMENT | {"workloads": [workload], "policies": DOCUMENT["policies"] | policies}
    return plan_fleet(read_fleet(yaml.safe_dump(document), base_dir=tmp_path), Clock(options=PlanOptions()))


def test_recorded_arrivals_are_replayed_beside_random_ones(tmp_path):
    plan = with_trace(tmp_path, lambda random, n: random.exponential(1.0, n)).plan
    assert plan.verification.arrivals == "poisson and trace"
    assert [r.load for r in plan.verification.replays] == ["stated", "peak", "trace", "trace_peak"]
    stated, _, trace, _ = plan.verification.replays
    # the trace is Poisson too, so both see the same up to chance
    assert trace.tpot.p95_ms == pytest.approx(stated.tpot.p95_ms, rel=0.1)
    assert trace.requests >= 3000


def test_a_plan_that_only_bursts_break_is_sized_again(tmp_path):
    """Two thirds of the trace are seven pauses, so that requests come three times as fast between them."""

    def bursts(random, n):
        gaps = random.exponential(1.0, n)
        gaps[:: n // 7] += 2 * gaps.sum() / 7
        return gaps

    steady = with_trace(tmp_path, lambda random, n: random.exponential(1.0, n)).plan
    planned = with_trace(tmp_path, bursts)
    verification = planned.plan.verification
    assert verification.corrections
    assert verification.met
    assert len(planned.plan.instances) > len(steady.instances)
