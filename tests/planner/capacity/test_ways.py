"""Uniform ways against plain enumeration."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.candidates.candidate import Candidate
from planner.capacity.ways import ways_for_gpus, ways_for_rate

BASE = Candidate(
    workload="w", model="m", repository="r", role="mixed", engine="vllm", pool="p", zone="z", gpu="g",
    tensor_parallel_size=1, pipeline_parallel_size=1, weights="bf16", checkpoint="bf16", kv_cache="bf16",
    max_num_seqs=256, max_num_batched_tokens=8192, max_model_len=4096, gpu_memory_utilization=0.9,
    capacity_per_s=1.0, ttft_ms=100.0, tpot_ms=10.0, limit="tpot", reason="", groups=1, gpus_per_group=1,
    price_per_hour=2.0, basis="imported",
)  # fmt: skip


def candidate(role: str, gpus: int, capacity: float) -> Candidate:
    return replace(
        BASE, role=role, tensor_parallel_size=gpus, gpus_per_group=gpus, capacity_per_s=capacity,
        price_per_hour=2.0 * gpus, ttft_ms=None if role == "decode" else 100.0,
        tpot_ms=None if role == "prefill" else 10.0,
    )  # fmt: skip


candidates = st.lists(
    st.builds(
        candidate,
        st.sampled_from(["mixed", "prefill", "decode"]),
        st.sampled_from([1, 2, 4]),
        st.integers(1, 40).map(lambda n: n / 4),
    ),
    min_size=1,
    max_size=6,
)


def test_whole_quotients_need_no_spare_instance() -> None:
    assert ways_for_rate([candidate("mixed", 1, 0.1)], 0.3)[0].instances == 3
    assert ways_for_rate([candidate("mixed", 2, 5.0)], 20.0)[0].gpus == 8


@settings(max_examples=80, deadline=None)
@given(candidates, st.integers(1, 40).map(lambda n: n / 4))
def test_fewest_gpus_for_a_rate(found: list[Candidate], rate: float) -> None:
    """The oracle counts instances one by one."""

    def count(c: Candidate) -> int:
        n = 1
        while n * c.capacity_per_s < rate:
            n += 1
        return n

    sizes = [count(c) * c.gpus for c in found if c.role == "mixed"]
    sizes += [
        count(p) * p.gpus + count(d) * d.gpus
        for p in found
        for d in found
        if (p.role, d.role) == ("prefill", "decode")
    ]
    ways = ways_for_rate(found, rate)
    assert sorted(way.gpus for way in ways) == sorted(sizes)
    assert [way.gpus for way in ways] == sorted(sizes)
    assert all(way.capacity_per_s >= rate for way in ways)


@settings(max_examples=80, deadline=None)
@given(candidates, st.integers(1, 12))
def test_most_requests_on_given_gpus(found: list[Candidate], gpus: int) -> None:
    best = [(gpus // c.gpus) * c.capacity_per_s for c in found if c.role == "mixed" and c.gpus <= gpus]
    best += [
        min(n * p.capacity_per_s, k * d.capacity_per_s)
        for p in found
        for d in found
        if (p.role, d.role) == ("prefill", "decode")
        for n in range(1, gpus + 1)
        for k in range(1, gpus + 1)
        if n * p.gpus + k * d.gpus <= gpus
    ]
    ways = ways_for_gpus(found, gpus)
    assert all(way.gpus <= gpus for way in ways)
    assert max((way.capacity_per_s for way in ways), default=0.0) == pytest.approx(max(best, default=0.0))
    if ways:
        assert ways[0].capacity_per_s == max(way.capacity_per_s for way in ways)
