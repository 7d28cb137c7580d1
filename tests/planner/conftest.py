"""What tests of the planner share."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from planner.executors import Executor


@pytest.fixture(scope="session")
def executor() -> Iterator[Executor]:
    """Two worker processes that import the planner and price instances once for all tests."""
    from planner.executors import open_executor

    with open_executor("local:2") as two:
        yield two


@pytest.fixture
def postgres() -> Iterator[str]:
    """URL of an empty database on the PostgreSQL server that ``FULCRUM_POSTGRES_URL`` names."""
    server = os.environ.get("FULCRUM_POSTGRES_URL")
    if server is None:
        pytest.skip("needs a PostgreSQL server to fill with rubbish: set FULCRUM_POSTGRES_URL")
    from sqlalchemy import create_engine, make_url, text

    administrator = create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"fulcrum_{secrets.token_hex(8)}"
    with administrator.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with administrator.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    administrator.dispose()
