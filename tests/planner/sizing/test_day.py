"""`planner.sizing.day`: the cheapest course against all courses, and the bound of a whole day."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.sizing.changes import Level
from planner.sizing.day import _rises, _shortest, least_total


@settings(max_examples=60, deadline=None)
@given(data=st.data(), ring=st.booleans())
def test_the_course_is_the_cheapest_of_all(data: st.DataObject, ring: bool) -> None:
    periods, choices = data.draw(st.integers(2, 4)), data.draw(st.integers(1, 3))
    price = st.floats(0, 9)
    cost = np.array([[data.draw(price) for _ in range(choices)] for _ in range(periods)])
    rise = np.array([[data.draw(price) if a != b else 0.0 for b in range(choices)] for a in range(choices)])
    fixed = data.draw(st.integers(0, periods - 1))
    only = data.draw(st.integers(0, choices - 1))
    cost[fixed, [c for c in range(choices) if c != only]] = np.inf

    def total(path: tuple[int, ...]) -> float:
        steps = zip(path[-1:] + path[:-1] if ring else (path[0], *path[:-1]), path, strict=True)
        return sum(cost[t, c] for t, c in enumerate(path)) + sum(rise[a, b] for a, b in steps)

    found = tuple(_shortest(cost, rise, fixed, ring=ring).tolist())
    assert found[fixed] == only
    assert total(found) == pytest.approx(min(map(total, product(range(choices), repeat=periods))))


def test_a_rise_counts_what_a_group_grows() -> None:
    choices = np.array([[2.0, 0.0], [0.0, 3.0]])
    alone, together = Level(3600.0, (0, 1)), Level(1800.0, ("x", "x"))
    assert _rises(choices, [alone]).tolist() == [[0.0, 3.0], [2.0, 0.0]]
    assert _rises(choices, [alone, together]).tolist() == [[0.0, 3.5], [2.0, 0.0]]


@settings(max_examples=60, deadline=None)
@given(
    least=st.lists(st.integers(0, 4), min_size=2, max_size=4),
    delay=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    ring=st.booleans(),
)
def test_no_course_above_the_least_prices_costs_less_than_the_bound(
    least: list[int], delay: float, ring: bool
) -> None:
    bound = least_total(least, length_s=3600.0, delay_s=delay * 3600.0, ring=ring)

    def total(course: tuple[int, ...]) -> float:
        before = course[-1:] + course[:-1] if ring else (course[0], *course[:-1])
        return sum(course) + delay * sum(max(b - a, 0) for a, b in zip(before, course, strict=True))

    best = min(total(course) for course in product(*(range(low, 6) for low in least)))
    assert bound <= best + 1e-9
    if delay <= 1.0:
        assert bound == pytest.approx(best)
