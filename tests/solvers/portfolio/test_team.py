"""What members of the portfolio prove stays true when others find something better."""

from __future__ import annotations

from solvers.options import Progress
from solvers.portfolio.team import _Bounds, _Enough


def test_a_bound_holds_only_where_the_earlier_tiers_are_as_good():
    proven = _Bounds([1.0, 2.0, 3.0], (5.0, 6.0, 7.0))
    assert proven.at((5.0, 6.0, 9.0)) == [1.0, 2.0, 3.0]
    assert proven.at((4.0, 6.5, 9.0)) == [1.0, 2.0, None]
    assert proven.at((5.5, 6.0, 7.0)) == [1.0, None, None]


def test_enough_is_when_every_tier_is_at_its_bound():
    def said(tier, objective):
        return Progress(phase="search", elapsed_s=0.0, tier=tier, objective=objective, bound=None, gap=None)

    heard = []
    proven = [0.0, 2.0]
    enough = _Enough(lambda values: proven if values[0] == 0.0 else [0.0, None], 2)
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
    assert not _Enough(lambda values: [], 0).reached
