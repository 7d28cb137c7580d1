import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvalidInput
from planner.split.engine_latency import EngineLatency
from planner.verify.decode import decode_ends_ms

REQUESTS = st.lists(
    st.tuples(st.floats(0, 400), st.integers(1, 600), st.integers(1, 150)), min_size=1, max_size=12
)


def one_step_at_a_time(instance, ready, inputs, outputs):
    """The definition: at every step boundary whoever fits joins, then each running request gets a token."""
    latency, room = EngineLatency(instance), instance.memory.kv_cache_tokens
    end, left, running, now = ready.copy(), {}, [], 0.0
    waiting = [i for i in range(len(ready)) if outputs[i] > 1]
    while waiting or running:
        while waiting and ready[waiting[0]] <= now and len(running) < instance.configuration.max_num_seqs:
            i = waiting[0]
            if sum(inputs[r] + outputs[r] for r in (*running, i)) > room:
                break
            running.append(waiting.pop(0))
            left[i] = outputs[i] - 1
        if not running:
            now = max(now, ready[waiting[0]])
            continue
        context = sum(inputs[r] + outputs[r] - left[r] for r in running)
        now += latency.decode_ms(len(running), context + len(running))
        for r in list(running):
            left[r] -= 1
            if not left[r]:
                end[r] = now
                running.remove(r)
    return end


@settings(deadline=None, max_examples=60)
@given(requests=REQUESTS, places=st.integers(1, 6), tokens=st.integers(750, 3000))
def test_jumping_over_equal_steps_is_taking_them(decode_instance, small_cache, requests, places, tokens):
    instance = small_cache(decode_instance(places), tokens)
    ready = np.sort(np.array([r[0] for r in requests]))
    inputs, outputs = (np.array([r[k] for r in requests]) for k in (1, 2))
    found = decode_ends_ms(instance, ready, inputs, outputs)
    expected = one_step_at_a_time(instance, ready, inputs, outputs)
    # a jump prices its steps at their mean context: a join may fall one step earlier or later
    step = EngineLatency(instance).decode_ms(places, 600 * places)
    np.testing.assert_allclose(found, expected, atol=3 * step, rtol=2e-3)


def test_a_batch_of_one_by_hand(decode_instance):
    instance = decode_instance()
    latency = EngineLatency(instance)
    (end,) = decode_ends_ms(instance, np.array([5.0]), np.array([100]), np.array([3]))
    assert end == pytest.approx(5.0 + latency.decode_ms(1, 102.5) * 2)


def test_a_request_of_one_token_is_done_when_it_comes(decode_instance):
    end = decode_ends_ms(decode_instance(), np.array([5.0, 6.0]), np.array([9, 9]), np.array([1, 1]))
    assert end.tolist() == [5.0, 6.0]


def test_a_request_longer_than_the_cache_is_refused(decode_instance, small_cache):
    with pytest.raises(InvalidInput, match="a request of 110 tokens does not fit the cache of 100"):
        decode_ends_ms(small_cache(decode_instance(), 100), np.zeros(1), np.array([100]), np.array([10]))
