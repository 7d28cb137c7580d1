import dataclasses

import numpy as np
import pytest

from models.architecture import architecture
from models.hardware import gpu
from models.serving import Configuration, InstanceModel, Parallelism, engine
from models.workload import LengthDistribution
from planner.verify.group import replay_instance
from planner.verify.stream import Stream


@pytest.fixture(scope="module")
def of_role():
    def make(role, **changes):
        built = InstanceModel.of(
            Configuration(
                architecture=architecture("llama-3.1-8b"),
                gpu=gpu("h100-sxm-80gb"),
                parallelism=Parallelism(),
                engine=engine("vllm"),
                role=role,
            )
        )
        return dataclasses.replace(built, **changes)

    return make


def stream(input_tokens=500, output_tokens=50, count=1000):
    return Stream.draw(LengthDistribution.fixed(input_tokens, output_tokens), count, name="chat", seed=0)


def test_each_role_has_its_latencies(of_role):
    mixed, prefill, decode = (
        replay_instance(of_role(role), stream(), 2.0) for role in ("mixed", "prefill", "decode")
    )
    assert mixed.ttft_ms.shape == mixed.tpot_ms.shape == (700,)
    assert prefill.tpot_ms is None
    assert decode.ttft_ms is None
    assert decode.tpot_ms.shape == (700,)


def test_decodes_that_no_prompt_interrupts_have_the_shorter_tail(of_role):
    mixed, decode = (
        np.percentile(replay_instance(of_role(role), stream(4000), 8.0).tpot_ms, 95)
        for role in ("mixed", "decode")
    )
    assert decode < mixed


def test_handing_over_delays_the_first_token_by_the_size_of_the_cache(of_role):
    instance = of_role("prefill")
    fast = replay_instance(instance, stream(), 2.0)
    slow_link = dataclasses.replace(instance.configuration, kv_transfer_bytes_per_s=1e9)
    slow = replay_instance(dataclasses.replace(instance, configuration=slow_link), stream(), 2.0)
    cache_bytes = 500 * instance.configuration.architecture.kv_cache_bytes_per_token("bf16")
    np.testing.assert_allclose(slow.ttft_ms - fast.ttft_ms, cache_bytes * (1 / 1e9 - 1 / 50e9) * 1e3)


def test_more_load_is_never_faster(of_role):
    slow, fast = (replay_instance(of_role("mixed"), stream(), rate) for rate in (20.0, 2.0))
    assert np.percentile(slow.ttft_ms, 95) >= np.percentile(fast.ttft_ms, 95)


def test_answers_of_one_token_have_no_tpot(of_role):
    assert np.isnan(replay_instance(of_role("decode"), stream(output_tokens=1), 2.0).tpot_ms).all()


def test_a_request_longer_than_the_cache_is_told(of_role):
    instance = of_role("mixed")
    tiny = dataclasses.replace(instance.memory, kv_cache_tokens=100)
    assert replay_instance(dataclasses.replace(instance, memory=tiny), stream(), 2.0) is None
