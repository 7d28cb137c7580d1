"""Fleets, the plan promoted on each, and the history of that; the version is Alembic's from here on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "fleets",
        sa.Column("tenant", sa.String(63), primary_key=True),
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("create_us", sa.BigInteger, nullable=False),
        sa.Column("update_us", sa.BigInteger, nullable=False),
        sa.Column("promoted_plan_id", sa.String(32), sa.ForeignKey("plans.id")),
        sa.Column("lease_holder", sa.String(64)),
        sa.Column("lease_expire_us", sa.BigInteger),
    )
    op.create_table(
        "promotions",
        sa.Column("tenant", sa.String(63), primary_key=True),
        sa.Column("fleet", sa.String(63), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("plan_id", sa.String(32), sa.ForeignKey("plans.id"), nullable=False),
        sa.Column("previous_plan_id", sa.String(32)),
        sa.Column("create_us", sa.BigInteger, nullable=False),
        sa.Column("caller", sa.String(63), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("request_id", sa.String(64)),
        sa.ForeignKeyConstraint(["tenant", "fleet"], ["fleets.tenant", "fleets.name"], ondelete="CASCADE"),
        sa.UniqueConstraint("tenant", "fleet", "request_id", name="promotions_request"),
    )
    if sa.inspect(op.get_bind()).has_table("schema_version"):
        op.drop_table("schema_version")
