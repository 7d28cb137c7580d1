import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInput
from planner.split import (
    GiveUp,
    PolynomialLatency,
    RequestSample,
    Server,
    mean_ttft,
    mean_ttft_pipeline,
    simulate,
)


def requests(*triples):
    gaps, inputs, outputs = zip(*triples, strict=True)
    return RequestSample(
        gaps=np.array(gaps, float), input_tokens=np.array(inputs), output_tokens=np.array(outputs)
    )


def test_one_request_by_hand(server):
    served = simulate(
        requests((0, 100, 5)),
        1.0,
        prefill=[server(prefill_ms=10)],
        decode=[server(decode_ms=3)],
        transfer_ms=7,
    )
    assert served.ttft_ms.tolist() == [10]
    assert served.tpot_ms.tolist() == pytest.approx([(7 + 4 * 3) / 4])
    assert served.end_s.tolist() == pytest.approx([0.029])


def test_prompts_are_batched_up_to_the_limit_and_wait_for_the_stage(server):
    # the first starts alone; the second and third fit one batch, the fourth does not
    served = simulate(
        requests((0, 40, 1), (0.001, 40, 1), (0, 60, 1), (0, 50, 1)),
        1.0,
        prefill=[server(prefill_ms=10, batch_tokens=100)],
        decode=[server()],
    )
    assert served.ttft_ms.tolist() == pytest.approx([10, 19, 19, 29])


def test_a_busy_instance_is_not_taken_for_an_idle_one(server):
    two = [server(prefill_ms=10), server(prefill_ms=10)]
    served = simulate(requests((0, 9, 1), (0.001, 9, 1)), 1.0, prefill=two, decode=[server()])
    assert served.ttft_ms.tolist() == pytest.approx([10, 10])


def test_a_pipeline_overlaps_batches(server):
    two = server(prefill_ms=10, stages=2)
    served = simulate(requests((0, 1, 1), (0, 1, 1), (0, 1, 1)), 1.0, prefill=[two], decode=[server()])
    assert served.ttft_ms.tolist() == pytest.approx([10, 15, 20])


def test_a_decode_pipeline_keeps_two_groups_in_flight(server):
    # each request visits both stages for every token; two requests alternate and none waits
    two = server(decode_ms=10, stages=2)
    served = simulate(requests((0, 1, 3), (0.005, 1, 3)), 1.0, prefill=[server()], decode=[two])
    assert served.tpot_ms.tolist() == pytest.approx([10, 10])


def test_decode_joins_at_the_next_step(server):
    served = simulate(
        requests((0, 1, 3), (0.004, 1, 2)), 1.0, prefill=[server()], decode=[server(decode_ms=10)]
    )
    # the second is ready at 4 ms and waits for the step that ends at 10 ms
    assert served.tpot_ms.tolist() == pytest.approx([10, 16])


def test_a_full_cache_makes_the_next_request_wait(server):
    served = simulate(
        requests((0, 5, 3), (0, 5, 3)),
        1.0,
        prefill=[server(batch_tokens=100)],
        decode=[server(decode_ms=10, cache=8)],
    )
    assert sorted(served.end_s.tolist()) == pytest.approx([0.020, 0.040])


def test_a_request_that_never_fits_is_refused(server):
    with pytest.raises(InvalidInput, match="a request of 11 tokens does not fit"):
        simulate(requests((0, 10, 1)), 1.0, prefill=[server()], decode=[server(cache=10)])


def test_together_a_prompt_delays_running_answers(server):
    served = simulate(requests((0, 1, 3), (0.015, 1, 1)), 1.0, prefill=[server(prefill_ms=10, decode_ms=4)])
    # 10 first token, 14 second, 18 step done before the prompt of 15 ms starts: it runs 18 to 28
    assert served.end_s.tolist() == pytest.approx([0.018, 0.028])
    late = simulate(requests((0, 1, 3), (0.013, 1, 1)), 1.0, prefill=[server(prefill_ms=10, decode_ms=4)])
    assert late.end_s.tolist() == pytest.approx([0.028, 0.024])


def test_the_context_read_grows_by_one_token_a_step():
    counting = PolynomialLatency(
        prefill=(0, 0, 0), decode_small=(0, 1, 0), decode_large=(0, 1, 0), large_batch=99
    )
    one = Server(latency=counting, stages=1, gpus=1, kv_cache_tokens=99, prefill_batch_tokens=1)
    served = simulate(requests((0, 10, 4)), 1.0, prefill=[one], decode=[one])
    assert served.end_s.tolist() == pytest.approx([(12 + 13 + 14) / 1e3])


@pytest.mark.parametrize("stages", [1, 2])
def test_equal_prompts_queue_as_an_m_d_1(server, stages):
    duration_s, rate = 0.010, 70.0
    sample = RequestSample.poisson(np.ones(60_000), np.ones(60_000), seed=3)
    served = simulate(sample, rate, prefill=[server(prefill_ms=10, stages=stages)], decode=[server()])
    expected = mean_ttft(rate, duration_s) if stages == 1 else mean_ttft_pipeline(rate, duration_s)
    assert served.ttft_ms.mean() == pytest.approx(expected * 1e3, rel=0.03)


def test_giving_up_agrees_with_the_whole_run(server):
    sample = RequestSample.poisson(np.full(400, 10), np.full(400, 5), seed=1)
    slow = [server(prefill_ms=10, decode_ms=2)]
    for rate in (20, 60, 90, 120):
        whole = simulate(sample, rate, prefill=slow, decode=[server(decode_ms=2)])
        short = simulate(
            sample,
            rate,
            prefill=slow,
            decode=[server(decode_ms=2)],
            give_up=GiveUp(ttft_ms=30, tpot_ms=9, misses=40),
        )
        assert (np.mean(whole.ttft_ms <= 30) >= 0.9) == (np.mean(short.ttft_ms <= 30) >= 0.9)


@given(st.data())
def test_everybody_is_served_and_nothing_is_faster_than_the_engine(data):
    n = data.draw(st.integers(1, 25))
    draw = lambda low, high: data.draw(st.lists(st.integers(low, high), min_size=n, max_size=n))  # noqa: E731
    sample = RequestSample(
        gaps=np.array(draw(0, 3), float),
        input_tokens=np.array(draw(1, 50)),
        output_tokens=np.array(draw(1, 9)),
    )
    stages = data.draw(st.integers(1, 3))
    flat = (4.0, 0.01, 0.1)
    latency = PolynomialLatency(
        prefill=(5, 0.1, 0), decode_small=flat, decode_large=flat, large_batch=9, stages=stages
    )
    one = Server(latency=latency, stages=stages, gpus=1, kv_cache_tokens=60, prefill_batch_tokens=64)
    decode = [one] * data.draw(st.integers(0, 2))
    served = simulate(sample, 100.0, prefill=[one] * data.draw(st.integers(1, 2)), decode=decode)
    assert np.isfinite(served.end_s).all()
    assert (served.ttft_ms >= 5 - 1e-9).all()
    assert (served.tpot_ms[sample.output_tokens > 1] >= 4 - 1e-9).all()
