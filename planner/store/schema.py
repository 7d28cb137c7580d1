"""The tables. Times are integer microseconds since the epoch, UTC, so that every database keeps them
exactly.

A change here is also a new file in ``migrations/versions`` and a new `planner.store.upgrade.HEAD`; a test
holds the two against each other.
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
from sqlalchemy.schema import ForeignKey, ForeignKeyConstraint, UniqueConstraint

__all__ = [
    "engines",
    "fleets",
    "load_samples",
    "metadata",
    "plan_events",
    "plan_profiles",
    "plans",
    "profile_contents",
    "profile_tables",
    "profile_uploads",
    "profiles",
    "promotions",
    "rollouts",
    "step_acknowledgements",
]

metadata = MetaData()

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

``state`` is one of `planner.store.records.PlanState`. A running plan belongs to
``lease_owner``, who renews ``lease_expire_us`` while it lives; whoever sees it no longer renewed may take the
plan. ``error`` is a serialized google.rpc.Status.
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

fleets = Table(
    "fleets",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("document", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("update_us", BigInteger, nullable=False),
    Column("promoted_plan_id", String(32), ForeignKey("plans.id")),
    Column("lease_holder", String(64)),
    Column("lease_expire_us", BigInteger),
)
"""One row a fleet. ``revision`` grows with every change of the document or of the promoted plan."""

promotions = Table(
    "promotions",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("fleet", String(63), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("plan_id", String(32), ForeignKey("plans.id"), nullable=False),
    Column("previous_plan_id", String(32)),
    Column("create_us", BigInteger, nullable=False),
    Column("caller", String(63), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("request_id", String(64)),
    ForeignKeyConstraint(["tenant", "fleet"], ["fleets.tenant", "fleets.name"], ondelete="CASCADE"),
    UniqueConstraint("tenant", "fleet", "request_id", name="promotions_request"),
)
"""Every change of ``fleets.promoted_plan_id``, in order."""

rollouts = Table(
    "rollouts",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("fleet", String(63), primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("plan_id", String(32), ForeignKey("plans.id"), nullable=False),
    Column("body_json", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("update_us", BigInteger, nullable=False),
    Column("end_us", BigInteger),
    ForeignKeyConstraint(["tenant", "fleet"], ["fleets.tenant", "fleets.name"], ondelete="CASCADE"),
    Index("rollouts_by_state", "state"),
)
"""One row a promotion, with the same number. ``body_json`` never changes (`planner.rollout.RolloutBody`);
``sequence`` grows with every acknowledgement and change of state."""

step_acknowledgements = Table(
    "step_acknowledgements",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("fleet", String(63), primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("node", String(255), primary_key=True),
    Column("outcome", String(16), nullable=False),
    Column("engine", String(63), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger),
    ForeignKeyConstraint(
        ["tenant", "fleet", "generation"],
        ["rollouts.tenant", "rollouts.fleet", "rollouts.generation"],
        ondelete="CASCADE",
    ),
)
"""How far each node is with each step of a rollout; ``engine`` is empty where the server itself said so."""

engines = Table(
    "engines",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("fleet", String(63), primary_key=True),
    Column("id", String(63), primary_key=True),
    Column("node", String(255), nullable=False),
    Column("facts_json", Text, nullable=False),
    Column("instances_json", Text, nullable=False),
    Column("lease_us", BigInteger, nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False),
    ForeignKeyConstraint(["tenant", "fleet"], ["fleets.tenant", "fleets.name"], ondelete="CASCADE"),
    Index("engines_by_node", "tenant", "fleet", "node"),
)
"""Where engine processes run, live until ``seen_us + lease_us``; ``instances_json`` is what was last
reported."""

load_samples = Table(
    "load_samples",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("fleet", String(63), primary_key=True),
    Column("end_us", BigInteger, primary_key=True, autoincrement=False),
    Column("instance", String(320), primary_key=True),
    Column("workload", String(320), nullable=False),
    Column("engine", String(63), nullable=False),
    Column("window_us", BigInteger, nullable=False),
    Column("request_count", BigInteger, nullable=False),
    Column("running", Double),
    Column("queued", Double),
    Column("kv_usage", Double),
    Column("ttft_json", Text),
    Column("tpot_json", Text),
    Column("ttft_drift", Double),
    Column("tpot_drift", Double),
    Column("cold", Boolean, nullable=False),
    ForeignKeyConstraint(["tenant", "fleet"], ["fleets.tenant", "fleets.name"], ondelete="CASCADE"),
    Index("load_samples_by_end", "end_us"),
)
"""What one instance did in the ``window_us`` before ``end_us``. The drifts are reported over predicted
latency, minus one; null where either is not known, or the engine was still warming up. Old rows are deleted
as new ones come."""

profile_contents = Table(
    "profile_contents",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("manifest_json", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
)
"""What was uploaded, by `models.profiles.digest`. Never changed; kept while a profile or a plan has it."""

profile_tables = Table(
    "profile_tables",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("operation", String(63), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["tenant", "digest"], ["profile_contents.tenant", "profile_contents.digest"], ondelete="CASCADE"
    ),
)
"""The Parquet files of a profile."""

profiles = Table(
    "profiles",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("upload_us", BigInteger, nullable=False),
    Column("uploader", String(63), nullable=False),
    ForeignKeyConstraint(["tenant", "digest"], ["profile_contents.tenant", "profile_contents.digest"]),
    Index("profiles_by_digest", "tenant", "digest"),
)
"""Which content a name has now."""

profile_uploads = Table(
    "profile_uploads",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("request_id", String(64), primary_key=True),
    Column("request_digest", String(64), nullable=False),
    Column("create_us", BigInteger, nullable=False),
)
"""Uploads that were done, so that a retry does not do them once more over what came later."""

plan_profiles = Table(
    "plan_profiles",
    metadata,
    Column("plan_id", String(32), ForeignKey("plans.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("tenant", String(63), nullable=False),
    Column("digest", String(64), nullable=False),
    ForeignKeyConstraint(["tenant", "digest"], ["profile_contents.tenant", "profile_contents.digest"]),
    Index("plan_profiles_by_digest", "tenant", "digest"),
)
"""The uploaded profiles that a plan rests on, as they were when it was asked for."""
