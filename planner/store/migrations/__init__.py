"""Schema changes of the store, applied by Alembic when a database of an earlier version is opened."""
