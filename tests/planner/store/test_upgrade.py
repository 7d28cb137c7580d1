"""Databases of earlier versions, of this one and of later ones."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from models.errors import InvalidInput
from planner.store.database import Database, database_url
from planner.store.fleets import FleetStore
from planner.store.plans import PlanStore
from planner.store.schema import metadata
from planner.store.upgrade import HEAD


def test_migrated_tables_are_those_of_the_schema(url: str) -> None:
    database = Database(url)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    database.close()
    assert differences == []


def test_a_store_of_the_first_version_keeps_its_plans(url: str) -> None:
    """Made as that version made it: by hand-written tables and a version of its own."""
    engine = create_engine(database_url(url))
    with engine.begin() as connection:
        for table in ("plans", "plan_events"):
            metadata.tables[table].create(connection)
        connection.execute(text("CREATE TABLE schema_version (version INTEGER PRIMARY KEY)"))
        connection.execute(text("INSERT INTO schema_version VALUES (1)"))
        connection.execute(
            text(
                "INSERT INTO plans (id, tenant, fleet, state, revision, create_us, document, options_json, "
                "request_digest, attempt_count, cancel_requested) VALUES "
                "('00', 'a', 'demo', 'queued', 1, 5, 'fleet: demo', '{}', '', 0, false)"
            )
        )
    engine.dispose()
    for _ in range(2):  # the second time there is nothing to do
        database = Database(url)
        plan = PlanStore(database).get("00")
        assert plan is not None
        assert plan.document == "fleet: demo"
        assert FleetStore(database).register("a", "demo", "fleet: demo").revision == 1
        with database.read() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == HEAD
        database.close()


def test_a_store_of_a_later_version_is_refused(url: str) -> None:
    database = Database(url)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '99'"))
    database.close()
    with pytest.raises(InvalidInput, match=f"has schema version 99, this Fulcrum works with {HEAD}"):
        Database(url)
