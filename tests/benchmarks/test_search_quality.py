"""A sample of the benchmark: search finds what is proven, and nothing better than that."""

from itertools import islice

from benchmarks.search_quality import Outcome, compared, random_graphs


def test_search_reaches_proven_optima_and_never_beats_them():
    outcomes = [
        compared(name, graph, exact_limit_s=1.0, search_limit_s=1.0, seed=0)
        for name, graph in islice(random_graphs(7, 20), 24)
    ]
    proven = [o for o in outcomes if o is not None]
    assert len(proven) >= 12
    assert not [o.name for o in proven if o.beaten]
    assert sum(o.reached for o in proven) >= len(proven) - 2, [o.name for o in proven if not o.reached]


def test_tiers_are_compared_in_order_and_within_rounding():
    def outcome(found):
        return Outcome(name="", objects=1, optimum=(1.0, 5.0), found=found, seconds=0.0)

    assert outcome((1.0 + 1e-9, 5.0)).reached
    assert not outcome((1.0, 5.1)).reached
    assert outcome((1.0, 4.9)).beaten
    assert not outcome((1.1, 0.0)).beaten
    assert not outcome(None).reached
