"""When the members of a portfolio should end."""

from __future__ import annotations

from solvers.options import Progress
from solvers.portfolio.listening import Enough, Watch


def test_enough_is_when_every_tier_is_at_its_bound():
    def said(tier, objective):
        return Progress(phase="search", elapsed_s=0.0, tier=tier, objective=objective, bound=None, gap=None)

    heard = []
    proven = [0.0, 2.0]
    enough = Enough(lambda values: proven if values[0] == 0.0 else [0.0, None], 2)
    hear = enough.hearing(heard.append)
    hear(said(0, 0.0))
    assert not enough.reached
    hear(said(1, 3.0))
    assert not enough.reached
    hear(said(1, 2.0))
    assert enough.reached
    hear(said(0, 1.0))
    assert not enough.reached
    assert len(heard) == 4
    assert not Enough(lambda values: [], 0).reached


def test_what_a_later_tier_had_does_not_count_for_another_value_of_an_earlier_one():
    def said(tier, objective):
        return Progress(phase="search", elapsed_s=0.0, tier=tier, objective=objective, bound=None, gap=None)

    enough = Enough(lambda _: [0.0, 2.0], 2)
    hear = enough.hearing(None)
    for report in (said(0, 1.0), said(1, 2.0), said(0, 0.0)):
        hear(report)
        assert not enough.reached
    hear(said(1, 4.0))
    assert not enough.reached
    for report in (said(0, 0.0), said(1, 2.0)):
        hear(report)
    assert enough.reached


def test_a_watch_is_wide_until_a_narrow_gap_is_heard():
    watch = Watch(0.1)
    hear = watch.hearing(None)
    assert watch.wide
    for gap, wide in ((0.5, True), (0.05, False), (None, True)):
        hear(Progress(phase="milp", elapsed_s=0.0, tier=0, objective=1.0, bound=None, gap=gap))
        assert watch.wide == wide
