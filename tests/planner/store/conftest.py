from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from planner.store.database import Database
from planner.store.plans import PlanStore
from planner.store.records import NewPlan


class Clock:
    """A clock that stands still until told."""

    def __init__(self) -> None:
        self.now_us = 1_000_000_000_000
        self.monotonic_s = 0.0

    def __call__(self) -> int:
        return self.now_us

    def advance(self, seconds: float) -> None:
        self.now_us += round(seconds * 1e6)
        self.monotonic_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path) -> str:
    """A database of each kind."""
    return (
        request.getfixturevalue("postgres") if request.param == "postgres" else str(tmp_path / "plans.sqlite")
    )


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[PlanStore]:
    database = Database(url)
    yield PlanStore(database, clock)
    database.close()


@pytest.fixture
def add(store: PlanStore, clock: Clock) -> Callable[..., str]:
    """Add a plan, each at its own time, and return its id."""

    def add_one(**fields: str) -> str:
        clock.advance(0.001)
        defaults = {"tenant": "a", "fleet": "demo", "document": "fleet: demo"}
        record, _ = store.add(NewPlan(**{**defaults, **fields}))
        return record.id

    return add_one
