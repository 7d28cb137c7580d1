"""The adaptive grid: spread seeds, respect limits, and go where the surface bends."""

import numpy as np
import pytest

from models.profiles.columns import FloatArray
from profiler.adaptive import Frontier, Limits
from profiler.space import Space

WIDE = Limits(call_seconds=10.0, bytes=1e15)


def line(count: int = 64) -> Space:
    rows = [{"size_bytes": round(2 ** (10 + i / 4))} for i in range(count)]
    return Space.of("hbm", {"library": "x", "access": "read"}, rows)


def measure(frontier: Frontier, truth: FloatArray, count: int) -> list[int]:
    order = []
    for _ in range(count):
        row = frontier.propose()
        assert row is not None
        frontier.add(row, float(truth[row]), 0.01)
        order.append(row)
    return order


def test_seeds_begin_small_and_spread() -> None:
    space = line()
    frontier = Frontier(space, WIDE)
    truth = 1 + space.candidates[:, 0] / 1e4
    order = measure(frontier, truth, frontier.seeds)

    assert order[0] == 0
    assert order[1] == len(space) - 1
    gaps = np.diff(sorted(order))
    assert gaps.max() <= 2 * gaps.min() + 1
    assert len(set(order)) == len(order)


def test_it_goes_where_the_surface_bends() -> None:
    space = line()
    size = space.candidates[:, 0]
    # Smooth but for the middle third, which oscillates with the size.
    wiggle = np.where((size > 2**15) & (size < 2**20), 0.6 * np.sin(3 * np.log2(size)), 0.0)
    truth = (1 + size / 1e4) * np.exp(wiggle)
    frontier = Frontier(space, WIDE)
    measure(frontier, truth, frontier.seeds)
    later = measure(frontier, truth, 16)
    inside = [(2**15 < size[row] < 2**20) for row in later]

    assert np.mean(inside) > 1.5 / 3


def test_error_falls_and_is_unknown_before_the_seeds() -> None:
    space = line()
    truth = 1 + space.candidates[:, 0] / 1e4
    frontier = Frontier(space, WIDE)
    assert frontier.error == np.inf
    assert np.isnan(frontier.final_error())
    measure(frontier, truth, frontier.seeds)
    first = frontier.error
    measure(frontier, truth, 20)

    assert frontier.error < first
    assert frontier.error < 0.02
    assert frontier.final_error() == frontier.error


def test_limits_keep_large_jobs_out() -> None:
    space = line()
    truth = space.candidates[:, 0].astype(float)  # a microsecond a byte
    frontier = Frontier(space, Limits(call_seconds=1.0, bytes=2.0**18))
    rows = []
    while (row := frontier.propose()) is not None:
        frontier.add(row, float(truth[row]), 0.01)
        rows.append(row)

    assert space.candidates[rows, 0].max() <= 2**18
    assert space.candidates[rows, 0].max() > 2**17

    slow = Frontier(space, Limits(call_seconds=0.01, bytes=1e15))
    rows = []
    while (row := slow.propose()) is not None:
        slow.add(row, float(truth[row]), 0.01)
        rows.append(row)
    assert truth[rows].max() <= 1.5e4


def test_refused_candidates_are_not_proposed_again() -> None:
    space = line(5)
    frontier = Frontier(space, WIDE)
    seen = set()
    while (row := frontier.propose()) is not None:
        assert row not in seen
        seen.add(row)
        frontier.refuse(row)

    assert seen == set(range(5))
    assert frontier.measured == 0


def test_find_is_exact() -> None:
    space = line()
    frontier = Frontier(space, WIDE)

    assert frontier.find(space.candidates[7]) == 7
    assert frontier.find(np.array([12345.0])) is None


def test_dearer_points_must_promise_more() -> None:
    space = line()
    size = space.candidates[:, 0]
    truth = (1 + size / 1e4) * np.exp(0.3 * np.sin(2 * np.log2(size)))  # equally rough everywhere
    frontier = Frontier(space, WIDE)
    measure(frontier, truth, frontier.seeds)
    later = measure(frontier, truth, 20)

    assert np.median(size[later]) < np.median(size)
    assert pytest.approx(len(later)) == 20
