"""Uploaded profiles, and which plans rest on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"

_CONTENT = (["tenant", "digest"], ["profile_contents.tenant", "profile_contents.digest"])


def upgrade() -> None:
    """Create the tables. Plans of before rest on none."""
    op.create_table(
        "profile_contents",
        sa.Column("tenant", sa.String(63), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("manifest_json", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "profile_tables",
        sa.Column("tenant", sa.String(63), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("operation", sa.String(63), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(*_CONTENT, ondelete="CASCADE"),
    )
    op.create_table(
        "profiles",
        sa.Column("tenant", sa.String(63), primary_key=True),
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("upload_us", sa.BigInteger, nullable=False),
        sa.Column("uploader", sa.String(63), nullable=False),
        sa.ForeignKeyConstraint(*_CONTENT),
    )
    op.create_index("profiles_by_digest", "profiles", ["tenant", "digest"])
    op.create_table(
        "profile_uploads",
        sa.Column("tenant", sa.String(63), primary_key=True),
        sa.Column("request_id", sa.String(64), primary_key=True),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("create_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "plan_profiles",
        sa.Column("plan_id", sa.String(32), sa.ForeignKey("plans.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(*_CONTENT),
    )
    op.create_index("plan_profiles_by_digest", "plan_profiles", ["tenant", "digest"])
