"""Prompts that are partly in the cache: the analysis beside the simulator."""

import numpy as np
import pytest

from models.architecture import architecture
from models.errors import InvalidInput
from models.hardware import gpu
from models.serving import Configuration, InstanceModel, Parallelism, Targets, capacities, engine, operate
from models.serving.analysis.table import capacities_by_kernel
from models.serving.requests import Requests
from models.serving.simulator import simulate
from models.workload import LengthDistribution
from models.workload.prefixes import PrefixBlocks

LENGTHS = LengthDistribution.fixed(4096, 200)
TARGETS = Targets(ttft_ms=1500, tpot_ms=40)
ONE = InstanceModel.of(
    Configuration(
        architecture=architecture("llama-3.1-8b"), gpu=gpu("h100"), parallelism=Parallelism(),
        engine=engine("vllm"),
    )
)  # fmt: skip


@pytest.mark.parametrize("reuse", [0.25, 0.5, 0.9])
def test_percentiles_agree(reuse: float) -> None:
    (most,) = capacities([ONE], LENGTHS, TARGETS, reuse=reuse)
    for share in (0.3, 0.6):
        rate = share * most.rate_per_s
        (found,) = operate([ONE], LENGTHS, np.array([rate]), TARGETS, reuse=reuse)
        run = simulate(
            ONE,
            np.full(4000, 4096),
            np.full(4000, 200),
            arrivals_s=np.cumsum(np.random.default_rng(0).exponential(1.0 / rate, 4000)),
            reuse=reuse,
        )
        assert found.ttft_ms == pytest.approx(float(np.percentile(run.ttft_ms[500:], 95)), rel=0.25)
        assert found.tpot_ms == pytest.approx(float(np.percentile(run.tpot_ms[500:], 95)), rel=0.25)


def test_hits_of_block_hashes_are_a_stated_share() -> None:
    """A shared beginning of half of every prompt: found by name, and told as a share to the analysis."""
    count, blocks = 3000, 4096 // 256
    names = [
        [*range(blocks // 2), *range(100 + i * blocks, 100 + i * blocks + blocks // 2)] for i in range(count)
    ]
    prefixes = PrefixBlocks.of_lists(256, names)
    inputs = np.full(count, 4096)
    (most,) = capacities([ONE], LENGTHS, TARGETS, reuse=0.5)
    rate = 0.5 * most.rate_per_s
    run = simulate(
        ONE,
        inputs,
        np.full(count, 200),
        arrivals_s=np.cumsum(np.random.default_rng(0).exponential(1.0 / rate, count)),
        prefixes=prefixes,
    )
    hits = run.reused_prompt_tokens / inputs.sum()
    assert hits == pytest.approx(prefixes.repeated_share(inputs), abs=0.01)
    (found,) = operate([ONE], LENGTHS, np.array([rate]), TARGETS, reuse=hits)
    assert found.ttft_ms == pytest.approx(float(np.percentile(run.ttft_ms[400:], 95)), rel=0.25)
    assert found.tpot_ms == pytest.approx(float(np.percentile(run.tpot_ms[400:], 95)), rel=0.25)


def test_more_in_the_cache_is_more_served_and_the_kernels_say_the_same() -> None:
    rates = []
    for reuse in (0.0, 0.3, 0.6, 1.0):
        (slow,) = capacities([ONE], LENGTHS, TARGETS, reuse=reuse)
        (fast,) = capacities_by_kernel([ONE], LENGTHS, TARGETS, reuse=reuse)
        assert fast.rate_per_s == pytest.approx(slow.rate_per_s, rel=1e-9)
        assert fast.ttft_ms == pytest.approx(slow.ttft_ms, rel=1e-9)
        rates.append(slow.rate_per_s)
    assert rates == sorted(rates)
    assert rates[-1] > 1.5 * rates[0]


def test_the_last_token_is_always_computed_and_a_share_is_a_share() -> None:
    assert Requests.of(LENGTHS, reuse=1.0).computed == pytest.approx(1.0)
    assert Requests.of(LENGTHS, reuse=0.5).computed == pytest.approx(2048.0)
    for wrong in (-0.1, 1.5, float("nan")):
        with pytest.raises(InvalidInput, match="reuse"):
            capacities([ONE], LENGTHS, TARGETS, reuse=wrong)
