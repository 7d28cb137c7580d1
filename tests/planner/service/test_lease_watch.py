"""Owners are given up by how long their lease stood still before the watcher's eyes."""

from __future__ import annotations

from planner.service.lease_watch import LeaseWatch
from planner.store.records import Lease

OLD, NEW = Lease("p", "one", 5), Lease("p", "one", 6)


def test_an_unchanged_lease_is_given_up_after_its_time():
    watch = LeaseWatch(3.0)
    looks = [watch.look([OLD], now_s=100.0 + second) for second in range(5)]
    assert looks == [[], [], [], [OLD], [OLD]]


def test_a_renewed_lease_starts_anew():
    watch = LeaseWatch(3.0)
    for second in range(3):
        watch.look([OLD], now_s=float(second))
    assert [watch.look([NEW], now_s=3.0 + second) for second in range(4)] == [[], [], [], [NEW]]


def test_a_watcher_that_was_away_gives_nobody_up():
    watch = LeaseWatch(3.0)
    watch.look([OLD], now_s=0.0)
    assert watch.look([OLD], now_s=3600.0) == []
    assert watch.look([NEW], now_s=3601.0) == []


def test_a_lease_that_ended_is_forgotten():
    watch = LeaseWatch(3.0)
    for second in range(3):
        watch.look([OLD], now_s=float(second))
    watch.look([], now_s=3.0)
    assert watch.look([OLD], now_s=4.0) == []
