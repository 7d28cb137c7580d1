"""The tables. Times are integer microseconds since the epoch, UTC, so that every database keeps them
exactly.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.schema import ForeignKey, UniqueConstraint

__all__ = ["SCHEMA_VERSION", "metadata", "plan_events", "plans", "schema_version"]

SCHEMA_VERSION = 1
"""Grows with every change of the tables; a database of another version is refused, never guessed at."""

metadata = MetaData()

schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
)

plans = Table(
    "plans",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(63), nullable=False),
    Column("fleet", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("start_us", BigInteger),
    Column("end_us", BigInteger),
    Column("document", Text, nullable=False),
    Column("options_json", Text, nullable=False),
    Column("current_json", Text),
    Column("request_id", String(64)),
    Column("request_digest", String(64), nullable=False),
    Column("result_json", Text),
    Column("error", LargeBinary),
    Column("attempt_count", Integer, nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    Column("lease_owner", String(64)),
    Column("lease_expire_us", BigInteger),
    UniqueConstraint("tenant", "request_id", name="plans_request"),
    Index("plans_by_age", "tenant", "create_us", "id"),
    Index("plans_by_state", "state", "tenant", "create_us"),
    Index("plans_by_start", "tenant", "start_us"),
)
"""One row a plan; the operation that makes it has the same id.

``state`` is one of `planner.store.records.PlanState`. A running plan belongs to ``lease_owner`` until
``lease_expire_us``; whoever finds the lease expired may take it. ``error`` is a serialized google.rpc.Status.
"""

plan_events = Table(
    "plan_events",
    metadata,
    Column("plan_id", String(32), ForeignKey("plans.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("create_us", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("phase", String(64), nullable=False),
    Column("elapsed_us", BigInteger, nullable=False),
    Column("objective", Double),
    Column("bound", Double),
    Column("gap", Double),
)
"""Progress of a plan, in order. Numbers are null where not known yet, never infinite."""
