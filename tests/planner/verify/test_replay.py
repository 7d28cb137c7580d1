import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.fleet.fleet import Target
from planner.plan import WorkloadOutcome
from planner.testing import make_candidate, make_fleet
from planner.verify.group import Latencies
from planner.verify.replay import Group, Replayer, _Mixture, peak_factor


def outcome(**values):
    return WorkloadOutcome(
        **{
            "name": "chat", "demand_per_s": 11.0, "capacity_per_s": 20.0, "surviving_capacity_per_s": 12.0,
            "unserved_per_s": 0.0, "ttft_percentile": 95.0, "ttft_target_ms": 1000.0, "ttft_ms": 1.0,
            "tpot_percentile": 95.0, "tpot_target_ms": 40.0, "tpot_ms": 1.0, **values,
        }
    )  # fmt: skip


def test_the_peak_is_demand_with_headroom_on_what_the_loss_leaves():
    # stated: 10 of 20; after the loss 11 of 12
    assert peak_factor(make_fleet(), outcome()) == pytest.approx((11 / 12) / (10 / 20))
    # what does not fit is not sent
    assert peak_factor(make_fleet(), outcome(surviving_capacity_per_s=5.0)) == pytest.approx(2.0)
    assert peak_factor(make_fleet(), outcome(surviving_capacity_per_s=0.0)) == 1.0


@given(
    groups=st.lists(
        st.tuples(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.integers(1, 5)),
        min_size=1, max_size=3,
    ),
    percentile=st.sampled_from([50.0, 90.0, 95.0, 99.0]),
)  # fmt: skip
def test_percentiles_of_a_mixture_are_those_of_repeated_samples(groups, percentile):
    mixture = _Mixture()
    for values, weight in groups:
        mixture.add(np.array(values, float), float(weight))
    found = mixture.spread(Target(percentile=percentile, limit_ms=25.0))
    # every group repeated so that each sample counts as much as the group's weight says
    whole = np.concatenate(
        [np.repeat(v, w * int(np.prod([len(o) for o, _ in groups])) // len(v)) for v, w in groups]
    )
    share = (whole <= found.at_percentile_ms).mean()
    assert share >= percentile / 100 - 1e-9
    assert (whole < found.at_percentile_ms).mean() < percentile / 100 + 1e-9
    assert found.met == (found.at_percentile_ms <= 25.0)


def test_phases_of_a_pair_meet_their_targets_independently(monkeypatch):
    fleet = make_fleet()
    seen = {
        "prefill": Latencies(ttft_ms=np.array([100.0] * 8 + [2000.0] * 2), tpot_ms=None),
        "decode": Latencies(ttft_ms=None, tpot_ms=np.array([10.0] * 5 + [100.0] * 5)),
    }
    replayer = Replayer(fleet=fleet, seed=0)
    monkeypatch.setattr(Replayer, "latencies", lambda self, candidate, *_, **__: seen[candidate.role])
    groups = [
        Group(candidate=make_candidate(fleet, role="prefill"), rate_per_s=2.0, count=3),
        Group(candidate=make_candidate(fleet, role="decode"), rate_per_s=3.0, count=2),
    ]
    found = replayer._replayed(groups, "stated", 1.0, 6.0, 10)
    assert found.attainment == pytest.approx(0.8 * 0.5)
    assert not found.met
    assert found.ttft.p50_ms == 100.0
    assert found.tpot.p95_ms == 100.0


def test_a_request_that_no_cache_holds_is_never_served(monkeypatch):
    fleet = make_fleet()
    monkeypatch.setattr(Replayer, "latencies", lambda *_, **__: None)
    group = Group(candidate=make_candidate(fleet), rate_per_s=2.0, count=1)
    found = Replayer(fleet=fleet, seed=0)._replayed([group], "stated", 1.0, 2.0, 10)
    assert (found.attainment, found.met, found.ttft.p95_ms) == (0.0, False, 1e12)


def test_few_groups_get_many_requests_and_many_groups_few():
    replayer = Replayer(fleet=make_fleet(), seed=0)
    assert replayer.requests_each(1) == 20_000
    assert replayer.requests_each(30) == 10_000
    assert replayer.requests_each(5000) == 3_000


def test_what_was_simulated_is_remembered(monkeypatch):
    fleet = make_fleet()
    calls = []
    monkeypatch.setattr("planner.verify.replay.replay_streams", lambda *args: calls.append(args) or None)
    replayer = Replayer(fleet=fleet, seed=0)
    one = make_candidate(fleet)
    for candidate in (
        one,
        dataclasses.replace(one, capacity_per_s=2.0),
        dataclasses.replace(one, max_num_seqs=9),
    ):
        replayer.latencies(candidate, 1.0, 100)
    assert len(calls) == 2
