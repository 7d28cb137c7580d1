"""Bringing a database to the present schema."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from models.errors import InvalidInput

__all__ = ["HEAD", "upgrade"]

HEAD = "4"
"""The revision that `planner.store.schema` describes."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x46554C43
"""Key of the advisory lock under which one server at a time changes a PostgreSQL database."""


def upgrade(connection: Connection, name: str) -> None:
    """Bring a database to `HEAD`, in the transaction of `connection`, keeping all it holds.

    Parameters
    ----------
    name
        Of the database, for messages.

    Raises
    ------
    InvalidInput
        A later Fulcrum wrote the database.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    found = _revision(connection)
    if found == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise InvalidInput(
            f"the store {name} has schema version {found}, this Fulcrum works with {HEAD}; "
            "use the Fulcrum that wrote it, or another store"
        )
    config.attributes["connection"] = connection
    if found is not None and not inspect(connection).has_table("alembic_version"):
        command.stamp(config, found)
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    """Revision of a database; None: it is empty."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if "schema_version" in tables:  # before Alembic
        version = connection.execute(text("SELECT version FROM schema_version")).scalar_one_or_none()
        return None if version is None else str(version)
    return None
