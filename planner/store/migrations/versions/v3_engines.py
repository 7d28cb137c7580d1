"""Engines, rollouts with their acknowledgements, reported load."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Create the tables. What was promoted before has no rollout until the next promotion."""
    op.create_table(
        "rollouts",
        sa.Column("tenant", sa.String(63), primary_key=True),
        sa.Column("fleet", sa.String(63), primary_key=True),
        sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("plan_id", sa.String(32), sa.ForeignKey("plans.id"), nullable=False),
        sa.Column("body_json", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("create_us", sa.BigInteger, nullable=False),
        sa.Column("update_us", sa.BigInteger, nullable=False),
        sa.Column("end_us", sa.BigInteger),
        sa.ForeignKeyConstraint(["tenant", "fleet"], ["fleets.tenant", "fleets.name"], ondelete="CASCADE"),
    )
    op.create_index("rollouts_by_state", "rollouts", ["state"])
    op.create_table(
        "step_acknowledgements",
        sa.Column("tenant", sa.String(63), primary_key=True),
        sa.Column("fleet", sa.String(63), primary_key=True),
        sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("node", sa.String(255), primary_key=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("engine", sa.String(63), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("start_us", sa.BigInteger, nullable=False),
        sa.Column("end_us", sa.BigInteger),
        sa.ForeignKeyConstraint(
            ["tenant", "fleet", "generation"],
            ["rollouts.tenant", "rollouts.fleet", "rollouts.generation"],
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "engines",
        sa.Column("tenant", sa.String(63), primary_key=True),
        sa.Column("fleet", sa.String(63), primary_key=True),
        sa.Column("id", sa.String(63), primary_key=True),
        sa.Column("node", sa.String(255), nullable=False),
        sa.Column("facts_json", sa.Text, nullable=False),
        sa.Column("instances_json", sa.Text, nullable=False),
        sa.Column("lease_us", sa.BigInteger, nullable=False),
        sa.Column("create_us", sa.BigInteger, nullable=False),
        sa.Column("seen_us", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["tenant", "fleet"], ["fleets.tenant", "fleets.name"], ondelete="CASCADE"),
    )
    op.create_index("engines_by_node", "engines", ["tenant", "fleet", "node"])
    op.create_table(
        "load_samples",
        sa.Column("tenant", sa.String(63), primary_key=True),
        sa.Column("fleet", sa.String(63), primary_key=True),
        sa.Column("end_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("instance", sa.String(320), primary_key=True),
        sa.Column("workload", sa.String(320), nullable=False),
        sa.Column("engine", sa.String(63), nullable=False),
        sa.Column("window_us", sa.BigInteger, nullable=False),
        sa.Column("request_count", sa.BigInteger, nullable=False),
        sa.Column("running", sa.Double),
        sa.Column("queued", sa.Double),
        sa.Column("kv_usage", sa.Double),
        sa.Column("ttft_json", sa.Text),
        sa.Column("tpot_json", sa.Text),
        sa.Column("ttft_drift", sa.Double),
        sa.Column("tpot_drift", sa.Double),
        sa.Column("cold", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["tenant", "fleet"], ["fleets.tenant", "fleets.name"], ondelete="CASCADE"),
    )
    op.create_index("load_samples_by_end", "load_samples", ["end_us"])
