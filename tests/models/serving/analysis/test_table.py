from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.architecture import architecture
from models.hardware import gpu
from models.serving import Capacity, Configuration, InstanceModel, Parallelism, Targets, capacities, engine
from models.serving import capacity as capacity_module
from models.serving.analysis.table import capacities_by_kernel
from models.serving.operating import capacities_by_halving
from models.workload import LengthDistribution


@cache
def instance(
    cut: tuple[str, int, int, int], on: str, engine_name: str, role: str, poll: int, seqs: int, budget: int
) -> InstanceModel:
    model, tensor, pipeline, replicas = cut
    return InstanceModel.of(
        Configuration(
            architecture=architecture(model),
            gpu=gpu(on),
            parallelism=Parallelism(
                tensor_parallel_size=tensor,
                pipeline_parallel_size=pipeline,
                data_parallel_size=replicas,
                expert_parallel_size=replicas,
            ),
            engine=replace(engine(engine_name), poll_steps=poll),
            role=role,  # type: ignore[arg-type]
            max_num_seqs=seqs,
            max_num_batched_tokens=budget,
        )
    )


INSTANCES = st.builds(
    instance,
    st.sampled_from(
        [
            *((m, t, p, 1) for m in ("llama-3.1-8b", "gpt-oss-120b") for t in (1, 4) for p in (1, 2)),
            ("gpt-oss-120b", 1, 1, 2),
            ("gpt-oss-120b", 2, 1, 4),
        ]
    ),
    st.sampled_from(["l4", "l40s", "a100"]),
    st.sampled_from(["vllm", "sglang"]),
    st.sampled_from(["mixed", "prefill", "decode"]),
    st.sampled_from([1, 10]),
    st.sampled_from([4, 256, 1000]),
    st.sampled_from([1024, 8192]),
)
TOKENS = st.integers(1, 8000)


@st.composite
def length_tables(draw: st.DrawFn) -> LengthDistribution:
    inputs = np.sort(np.array(draw(st.lists(TOKENS, min_size=3, max_size=3)), dtype=float))
    outputs = np.sort(np.array(draw(st.lists(st.integers(1, 2000), min_size=6, max_size=6)), dtype=float))
    return LengthDistribution(
        levels=np.array([0.0, 0.6, 1.0]),
        input_tokens=inputs,
        bands=np.array([0.5, 1.0]),
        output_tokens=outputs.reshape(2, 3),
        source="test",
    )


def assert_same(fast: Capacity, slow: Capacity) -> None:
    assert replace(fast, **NUMBERS, reason="") == replace(slow, **NUMBERS, reason="")
    for name in NUMBERS:
        one, other = getattr(fast, name), getattr(slow, name)
        if one is None or other is None:
            assert one is other, name
        else:
            assert one == pytest.approx(other, rel=1e-9), (name, fast, slow)
    assert fast.reason == slow.reason


NUMBERS = dict.fromkeys(("rate_per_s", "ttft_ms", "tpot_ms", "concurrency", "cache_share"), 0.0)


@settings(max_examples=40, deadline=None)
@given(
    instances=st.lists(INSTANCES, min_size=1, max_size=6),
    lengths=length_tables(),
    ttft_ms=st.floats(20, 20_000),
    tpot_ms=st.floats(4, 300),
    percentiles=st.tuples(st.sampled_from([50.0, 95.0, 99.0]), st.sampled_from([50.0, 90.0, 99.9])),
)
def test_equals_halving_by_arrays(
    instances: list[InstanceModel],
    lengths: LengthDistribution,
    ttft_ms: float,
    tpot_ms: float,
    percentiles: tuple[float, float],
) -> None:
    targets = Targets(
        ttft_ms=ttft_ms, tpot_ms=tpot_ms, ttft_percentile=percentiles[0], tpot_percentile=percentiles[1]
    )
    fast = capacities_by_kernel(instances, lengths, targets)
    for one, other in zip(fast, capacities_by_halving(instances, lengths, targets), strict=True):
        assert_same(one, other)


def test_large_tables_are_compiled_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    few = [
        instance(("llama-3.1-8b", tensor, 1, 1), "l4", "vllm", role, 1, seqs, 8192)
        for role in ("mixed", "prefill", "decode")
        for tensor in (1, 4)
        for seqs in (4, 256)
    ]
    lengths, targets = LengthDistribution.fixed(900, 120), Targets(ttft_ms=3000, tpot_ms=80)
    small = capacities(few, lengths, targets)
    monkeypatch.setattr(capacity_module, "COMPILED_FROM", 600)
    large = capacities(few * 50, lengths, targets)  # more than one part, so more than one thread
    assert large == large[: len(few)] * 50
    for one, other in zip(large, small, strict=False):
        assert_same(one, other)
