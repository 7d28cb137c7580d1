from __future__ import annotations

import pytest

from planner.agent.reporter import sample_between
from planner.agent.scrape import NAMES, between, read_metrics

VLLM = """\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{engine="0",model_name="m"}} 3.0
vllm:num_requests_running{{engine="1",model_name="m"}} 2.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{{engine="0",model_name="m"}} 0.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{{engine="0",model_name="m"}} 0.5
vllm:kv_cache_usage_perc{{engine="1",model_name="m"}} 0.25
# TYPE vllm:request_success counter
vllm:request_success_total{{finished_reason="stop",model_name="m"}} {stop}
vllm:request_success_total{{finished_reason="length",model_name="m"}} {length}
vllm:request_success_created{{finished_reason="stop",model_name="m"}} 1.7e9
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{{le="0.1",model_name="m"}} {low}
vllm:time_to_first_token_seconds_bucket{{le="0.5",model_name="m"}} {high}
vllm:time_to_first_token_seconds_bucket{{le="+Inf",model_name="m"}} {high}
vllm:time_to_first_token_seconds_count{{model_name="m"}} {high}
vllm:time_to_first_token_seconds_sum{{model_name="m"}} 1.0
"""
SGLANG = """\
# TYPE sglang:num_running_reqs gauge
sglang:num_running_reqs{model_name="m"} 1.0
# TYPE sglang:num_queue_reqs gauge
sglang:num_queue_reqs{model_name="m"} 4.0
# TYPE sglang:token_usage gauge
sglang:token_usage{model_name="m"} 0.28
# TYPE sglang:e2e_request_latency_seconds histogram
sglang:e2e_request_latency_seconds_bucket{le="+Inf",model_name="m"} 12
sglang:e2e_request_latency_seconds_count{model_name="m"} 12
sglang:e2e_request_latency_seconds_sum{model_name="m"} 30.0
# TYPE sglang:inter_token_latency_seconds histogram
sglang:inter_token_latency_seconds_bucket{le="0.02",model_name="m"} 100
sglang:inter_token_latency_seconds_bucket{le="+Inf",model_name="m"} 110
"""


def vllm(time_s: float, **values: int):
    counts = {"stop": 10, "length": 2, "low": 4, "high": 12} | values
    return read_metrics(VLLM.format(**counts), NAMES["vllm"], time_s)


def test_vllms_metrics_are_summed_over_their_labels() -> None:
    found = vllm(0.0)
    assert (found.requests, found.running, found.queued, found.kv_usage) == (12, 5, 0, 0.5)
    assert found.ttft.upper_bounds_ms == pytest.approx((100.0, 500.0))
    assert found.ttft.counts == (4, 8, 0)
    assert found.tpot is None
    assert found.busy


def test_sglangs_metrics() -> None:
    found = read_metrics(SGLANG, NAMES["sglang"], 0.0)
    assert (found.requests, found.running, found.queued, found.kv_usage) == (12, 1, 4, 0.28)
    assert found.tpot.counts == (100, 10)


def test_a_sample_is_the_difference_of_two_scrapes() -> None:
    before, after = vllm(100.0), vllm(110.5, stop=30, high=32)
    sample = sample_between("a@1", before, after, cold=True)
    assert sample is not None
    assert (sample.request_count, sample.window.ToMilliseconds()) == (20, 10_500)
    assert list(sample.ttft.counts) == [0, 20, 0]
    assert sample.cold_start
    assert not sample.HasField("tpot")


def test_an_engine_that_began_anew_gives_no_sample() -> None:
    assert sample_between("a@1", vllm(100.0), vllm(110.0, stop=1), cold=False) is None
    assert between(vllm(0.0).ttft, vllm(1.0, low=1, high=12).ttft) is None
    assert sample_between("a@1", vllm(100.0), vllm(100.0), cold=False) is None


def test_what_is_no_metrics_text_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"."):
        read_metrics("<html>no</html>", NAMES["vllm"], 0.0)
