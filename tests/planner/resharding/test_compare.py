import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.hardware import gpu
from planner.resharding import HostBuffer, RequestClass, compare

ARXIV = RequestClass(2588, 291)


def test_switching_pays_for_long_prompts_over_pcie(llama, host):
    verdict = compare(llama, 8, ARXIV, host)
    assert verdict.choice == "switching"
    assert verdict.speed_up > 1
    assert "P8 → T4P2" in verdict.reason


def test_it_does_not_pay_with_perfect_overlap_and_that_is_said(llama, host):
    verdict = compare(dataclasses.replace(llama, overlap=1.0), 8, ARXIV, host)
    assert verdict.choice == "static"
    assert verdict.speed_up < 1
    assert verdict.reason.startswith("switching does not pay: P8 → T4P2 would serve")


def test_a_cycle_of_the_break_even_length_is_a_draw(llama, host):
    verdict = compare(llama, 8, ARXIV, host)
    at = compare(llama, 8, ARXIV, host, requests=verdict.break_even_requests)
    assert at.switching.rate_per_s == pytest.approx(verdict.static.rate_per_s, rel=1e-6)
    fewer = compare(llama, 8, ARXIV, host, requests=verdict.break_even_requests * 0.7)
    assert fewer.choice == "static"


def test_a_model_that_fits_nowhere(llama, host):
    verdict = compare(llama, 2, ARXIV, host)
    assert verdict.choice == "none"
    assert verdict.rate_per_s == 0
    assert "no layout of 2 GPUs" in verdict.reason


@given(
    prompt=st.floats(16, 8000),
    answer=st.floats(1, 2000),
    overlap=st.floats(0, 1),
    link=st.floats(0.05, 50),
    buffer_gib=st.floats(4, 200),
    memory_gb=st.sampled_from([24, 40, 80]),
)
def test_the_choice_is_never_worse_than_the_best_fixed_layout(
    llama_any, prompt, answer, overlap, link, buffer_gib, memory_gb
):
    device = gpu({24: "a10-24gb", 40: "a100-sxm-40gb", 80: "a100-sxm-80gb"}[memory_gb])
    model = dataclasses.replace(
        llama_any, gpu=device, overlap=overlap, all_reduce=llama_any.all_reduce.scaled(link)
    )
    host = HostBuffer(bytes_per_gpu=buffer_gib * 2**30, bandwidth_bytes_per_s=16e9)
    verdict = compare(model, 8, RequestClass(prompt, answer), host)
    assert verdict.static is not None
    others = [verdict.static.rate_per_s]
    others += [x.rate_per_s for x in (verdict.switching, verdict.disaggregated) if x is not None]
    assert verdict.rate_per_s == max(others)
    assert ("does not pay" in verdict.reason) == (verdict.choice != "switching")
