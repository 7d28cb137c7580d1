"""Plans and their progress: the tables of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "plans",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("fleet", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("create_us", sa.BigInteger, nullable=False),
        sa.Column("start_us", sa.BigInteger),
        sa.Column("end_us", sa.BigInteger),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("options_json", sa.Text, nullable=False),
        sa.Column("current_json", sa.Text),
        sa.Column("request_id", sa.String(64)),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("result_json", sa.Text),
        sa.Column("error", sa.LargeBinary),
        sa.Column("attempt_count", sa.Integer, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("lease_owner", sa.String(64)),
        sa.Column("lease_expire_us", sa.BigInteger),
        sa.UniqueConstraint("tenant", "request_id", name="plans_request"),
    )
    op.create_index("plans_by_age", "plans", ["tenant", "create_us", "id"])
    op.create_index("plans_by_state", "plans", ["state", "tenant", "create_us"])
    op.create_index("plans_by_start", "plans", ["tenant", "start_us"])
    op.create_table(
        "plan_events",
        sa.Column("plan_id", sa.String(32), sa.ForeignKey("plans.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("create_us", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("phase", sa.String(64), nullable=False),
        sa.Column("elapsed_us", sa.BigInteger, nullable=False),
        sa.Column("objective", sa.Double),
        sa.Column("bound", sa.Double),
        sa.Column("gap", sa.Double),
    )
