from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import create_engine, make_url, text

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


@pytest.fixture
def postgres() -> Iterator[str]:
    """URL of an empty database on the PostgreSQL server that ``FULCRUM_POSTGRES_URL`` names."""
    server = os.environ.get("FULCRUM_POSTGRES_URL")
    if server is None:
        pytest.skip("needs a PostgreSQL server to fill with rubbish: set FULCRUM_POSTGRES_URL")
    administrator = create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"fulcrum_{secrets.token_hex(8)}"
    with administrator.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with administrator.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    administrator.dispose()


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
