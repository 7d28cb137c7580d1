"""Alembic's entry: runs the revisions over the connection that `planner.store.upgrade` hands in."""

from __future__ import annotations

from alembic import context

from planner.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
