import dataclasses

import pytest

from models.errors import InvalidInput
from planner.resharding import HostBuffer, Layout, RequestClass, switch_cycle

REQUEST = RequestClass(2000, 200)
P8, T4P2 = Layout(1, 1, 8), Layout(1, 4, 2)


def test_a_cycle_adds_up(llama, host):
    cycle = switch_cycle(llama, P8, T4P2, REQUEST, host)
    per_token = llama.kv_cache_bytes_per_token
    assert cycle.requests == pytest.approx(8 * 80 * 2**30 / per_token / 2000)
    assert cycle.prefill_phase_s == pytest.approx(cycle.requests * llama.prefill_s(P8, REQUEST))
    assert cycle.decode_phase_s == pytest.approx(cycle.requests * llama.decode_s(T4P2, REQUEST))
    weights = llama.architecture.weight_bytes("bf16") / 8
    assert cycle.reload_s == pytest.approx(2 * weights / (16 * 2**30))
    assert cycle.hand_over_s == pytest.approx(2 * llama.room_tokens(T4P2) * per_token / (8 * 16 * 2**30))
    assert cycle.seconds == pytest.approx(
        cycle.prefill_phase_s + cycle.decode_phase_s + cycle.reload_s + cycle.hand_over_s
    )
    assert cycle.switches_per_hour == pytest.approx(7200 / cycle.seconds)
    assert cycle.rate_per_s == pytest.approx(cycle.requests / cycle.seconds)


def test_staying_costs_nothing(llama, host):
    cycle = switch_cycle(llama, T4P2, T4P2, REQUEST, host)
    assert cycle.lost_s == 0
    assert cycle.switches_per_hour == 0


def test_a_larger_buffer_loses_less(llama, host):
    shares = [
        switch_cycle(llama, P8, T4P2, REQUEST, dataclasses.replace(host, bytes_per_gpu=b * 2**30)).lost_share
        for b in (2, 20, 80)
    ]
    assert shares == sorted(shares, reverse=True)


def test_few_waiting_requests_make_a_short_cycle(llama, host):
    cycle = switch_cycle(llama, P8, T4P2, REQUEST, host, requests=10)
    assert cycle.requests == 10
    assert cycle.lost_share > 0.1


def test_a_slow_host_link_bounds_the_phases(llama):
    slow = HostBuffer(bytes_per_gpu=80 * 2**30, bandwidth_bytes_per_s=1e7)
    cycle = switch_cycle(llama, P8, T4P2, REQUEST, slow)
    assert cycle.swap_bound == ("prefill", "decode")
    copy_s = 2000 * llama.kv_cache_bytes_per_token / 8e7
    assert cycle.prefill_phase_s == pytest.approx(cycle.requests * copy_s)


def test_replicas_cannot_change_between_phases(llama, host):
    with pytest.raises(InvalidInput, match="same GPUs and replicas"):
        switch_cycle(llama, P8, Layout(2, 4, 1), REQUEST, host)


def test_a_layout_without_room_is_refused(llama, host):
    with pytest.raises(InvalidInput, match="no room"):
        switch_cycle(llama, P8, T4P2, RequestClass(10**6, 1), host)
