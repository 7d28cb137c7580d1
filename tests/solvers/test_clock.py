"""The clock's record of a solve is lexicographic."""

from __future__ import annotations

from solvers import SolveOptions
from solvers.clock import Clock


def test_a_better_earlier_tier_starts_the_later_ones_again():
    heard = []
    clock = Clock(SolveOptions(on_progress=heard.append))
    for tier, value in [(0, 9.0), (1, 1.0), (0, 5.0), (1, 7.0), (1, 8.0), (0, 5.0), (1, 6.0)]:
        clock.report("search", tier, value, None)
    points = [(p.tier, p.objective) for p in clock.trajectory]
    assert points == [(0, 9.0), (1, 1.0), (0, 5.0), (1, 7.0), (1, 6.0)]
    assert heard[-1].objective == 6.0
    assert [p.elapsed_s for p in clock.trajectory] == sorted(p.elapsed_s for p in clock.trajectory)


def test_a_limit_is_over_and_cancelling_is_asked_for():
    asked = []
    clock = Clock(SolveOptions(time_limit_s=1e-9, cancelled=lambda: bool(asked.append(1))))
    assert clock.stopped
    assert clock.remaining_s == 0.0
    assert asked
    assert Clock(SolveOptions(cancelled=lambda: True)).stopped


def test_a_point_has_its_gap_and_how_fast_search_was():
    heard = []
    clock = Clock(SolveOptions(on_progress=heard.append))
    clock.report("search", 0, 10.0, None, 2e6)
    clock.report("lns", 0, 8.0, 6.0)
    first, second = clock.trajectory
    assert (first.gap, first.evaluations_per_s) == (None, 2e6)
    assert (second.gap, second.evaluations_per_s) == (0.25, None)
    assert [h.evaluations_per_s for h in heard] == [2e6, None]
