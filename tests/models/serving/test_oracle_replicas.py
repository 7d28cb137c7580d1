"""Attention replicas and late looks at the queue: the analysis beside the simulator."""

from dataclasses import replace

import numpy as np
import pytest

from models.architecture import architecture
from models.hardware import gpu
from models.serving import Configuration, InstanceModel, Parallelism, Targets, capacities, engine, operate
from models.serving.curves import TOKENS
from models.serving.load import Load
from models.serving.simulator import simulate
from models.workload import LengthDistribution

LENGTHS = LengthDistribution.fixed(1000, 200)
TARGETS = Targets(ttft_ms=3000, tpot_ms=80)


def instance(
    name: str, on: str, weights: str, replicas: int, *, poll: int = 1, balance: int = 0
) -> InstanceModel:
    return InstanceModel.of(
        Configuration(
            architecture=architecture(name),
            gpu=gpu(on),
            parallelism=Parallelism(data_parallel_size=replicas, expert_parallel_size=replicas),
            engine=replace(engine("vllm"), poll_steps=poll, balance_steps=balance),
            weights=weights,
        )
    )


def percentiles(instance: InstanceModel, rate_per_s: float, *, requests: int = 4000) -> tuple[float, float]:
    """95th percentiles of TTFT and TPOT under random arrivals, without the beginning."""
    gaps = np.random.default_rng(0).exponential(1.0 / rate_per_s, requests)
    run = simulate(instance, np.full(requests, 1000), np.full(requests, 200), arrivals_s=np.cumsum(gaps))
    kept = slice(requests // 8, requests)
    return float(np.percentile(run.ttft_ms[kept], 95)), float(np.percentile(run.tpot_ms[kept], 95))


@pytest.mark.parametrize(
    ("name", "weights", "replicas"), [("deepseek-v3", "fp8_block", 8), ("gpt-oss-120b", "mxfp4", 2)]
)
def test_replicas_agree_on_percentiles_and_keep_what_is_promised(
    name: str, weights: str, replicas: int
) -> None:
    one = instance(name, "h200", weights, replicas)
    (most,) = capacities([one], LENGTHS, TARGETS)
    assert most.feasible
    for share in (0.3, 0.6):
        (found,) = operate([one], LENGTHS, np.array([share * most.rate_per_s]), TARGETS)
        ttft, tpot = percentiles(one, share * most.rate_per_s)
        assert found.ttft_ms == pytest.approx(ttft, rel=0.25)
        assert found.tpot_ms == pytest.approx(tpot, rel=0.25)
    ttft, tpot = percentiles(one, 0.9 * most.rate_per_s)
    assert ttft <= TARGETS.ttft_ms
    assert tpot <= TARGETS.tpot_ms


def test_the_experts_of_a_prompt_see_the_tokens_of_every_replica() -> None:
    load = Load([instance("deepseek-v3", "h200", "fp8_block", 8)], LENGTHS)
    curves = load.instances[0].curves
    extra, steps, _ = load.prompt_ms(np.zeros(1), np.full((1, 1), 1000.0))
    assert steps[0, 0] == 1
    seen = np.interp(8000.0, TOKENS, curves.experts_ms)
    assert extra[0, 0] > seen * load.instances[0].configuration.overheads.prefill_scale


def test_an_engine_that_looks_seldom_delays_first_tokens_by_half_its_interval() -> None:
    often, seldom = (instance("gpt-oss-120b", "h200", "mxfp4", 2, poll=poll) for poll in (1, 31))
    rate = 4.0
    a, b = (
        simulate(
            one,
            np.full(3000, 1000),
            np.full(3000, 200),
            arrivals_s=np.cumsum(np.random.default_rng(1).exponential(1.0 / rate, 3000)),
        )
        for one in (often, seldom)
    )
    step = Load([often], LENGTHS).decode_ms(np.full(1, 3.0))[0]
    assert b.ttft_ms.mean() - a.ttft_ms.mean() == pytest.approx(15 * step, rel=0.35)
    assert b.computed_prompt_tokens == a.computed_prompt_tokens
    (found,) = operate([seldom], LENGTHS, np.array([rate]), TARGETS)
    # the analysis knows the mean of that delay, not its spread
    assert found.ttft_ms == pytest.approx(float(np.percentile(b.ttft_ms, 95)), rel=0.3)


def test_replicas_that_wait_for_each_other_prefill_in_fewer_steps() -> None:
    """Eight clients a replica: without waiting nearly every prompt stops the decodes of both replicas."""
    once, together = (instance("gpt-oss-120b", "h200", "mxfp4", 2, balance=steps) for steps in (0, 60))
    inputs, outputs = np.full(160, 4000), np.random.default_rng(0).integers(80, 120, 160)
    a, b = (simulate(one, inputs, outputs, concurrency=16) for one in (once, together))
    assert b.computed_prompt_tokens == a.computed_prompt_tokens
    assert b.prefill_steps < 0.7 * a.prefill_steps
    assert b.tpot_ms.mean() < 0.9 * a.tpot_ms.mean()
    assert b.ttft_ms.mean() > a.ttft_ms.mean()


@pytest.mark.parametrize("steps", [1, 7, 30])
def test_a_prompt_alone_waits_no_longer_than_it_may(steps: int) -> None:
    at_once, waits = (instance("gpt-oss-120b", "h200", "mxfp4", 2, balance=b) for b in (0, steps))
    inputs, outputs, arrivals = np.full(3, 500), np.full(3, 400), np.array([0.0, 0.0, 1.0])
    a, b = (simulate(one, inputs, outputs, arrivals_s=arrivals) for one in (at_once, waits))
    step = Load([at_once], LENGTHS).decode_ms(np.full(1, 2.0))[0]
    assert b.ttft_ms[2] - a.ttft_ms[2] == pytest.approx(steps * step, rel=0.1, abs=0.1)
    assert b.ttft_ms[:2] == pytest.approx(a.ttft_ms[:2])  # nothing decodes yet: nobody waits
