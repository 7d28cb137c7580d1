"""What members of the portfolio prove stays true when others find something better."""

from __future__ import annotations

from solvers.portfolio.team import _Bounds


def test_a_bound_holds_only_where_the_earlier_tiers_are_as_good():
    proven = _Bounds([1.0, 2.0, 3.0], (5.0, 6.0, 7.0))
    assert proven.at((5.0, 6.0, 9.0)) == [1.0, 2.0, 3.0]
    assert proven.at((4.0, 6.5, 9.0)) == [1.0, 2.0, None]
    assert proven.at((5.5, 6.0, 7.0)) == [1.0, None, None]
