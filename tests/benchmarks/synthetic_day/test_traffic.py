from __future__ import annotations

import numpy as np
import pytest

from benchmarks.synthetic_day.traffic import DAY_S, Shape, Spike, make_day
from models.workload import Trace


@pytest.fixture
def trace():
    random = np.random.default_rng(0)
    return Trace(
        arrivals_s=np.sort(random.random(3600)) * 3600,
        input_tokens=random.integers(1, 2000, 3600),
        output_tokens=random.integers(1, 400, 3600),
        source="made up",
    )


def test_the_mean_rate_the_peak_and_the_lengths_are_those_asked_for(trace):
    shape = Shape(mean_per_s=5.0, peak_h=20.0, swing=0.8)
    day = make_day({"chat": shape}, {"chat": trace}, [], seed=1)["chat"]
    assert day.sent_s.size / DAY_S == pytest.approx(5.0, rel=0.02)
    hours = np.bincount((day.sent_s // 3600).astype(int), minlength=24) / 3600
    assert hours[20] == pytest.approx(9.0, rel=0.1)
    assert hours[8] == pytest.approx(1.0, rel=0.2)
    pairs = set(zip(trace.input_tokens.tolist(), trace.output_tokens.tolist(), strict=True))
    assert set(zip(day.input_tokens[:500].tolist(), day.output_tokens[:500].tolist(), strict=True)) <= pairs
    assert (np.diff(day.sent_s) >= 0).all()


def test_a_spike_multiplies_the_rate_while_it_lasts(trace):
    shape = Shape(mean_per_s=5.0, peak_h=12.0, swing=0.0)
    spike = Spike(start_s=36_000, end_s=43_200, factor=2.0)
    day = make_day({"chat": shape}, {"chat": trace}, [spike], seed=1)["chat"]
    inside, before = day.between(37_000, 42_000), day.between(30_000, 35_000)
    assert (inside.stop - inside.start) / (before.stop - before.start) == pytest.approx(2.0, rel=0.05)


def test_the_same_seed_is_the_same_day(trace):
    shape = {"chat": Shape(mean_per_s=1.0, peak_h=12.0, swing=0.5)}
    one, same, other = (make_day(shape, {"chat": trace}, [], seed=s)["chat"] for s in (3, 3, 4))
    assert np.array_equal(one.sent_s, same.sent_s)
    assert not np.array_equal(one.sent_s[:50], other.sent_s[:50])
