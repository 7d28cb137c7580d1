"""Rows of ``plan_profiles``: what a plan rests on stays what it was."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, insert, select

from planner.store.schema import plan_profiles, profile_contents

__all__ = ["ProfileGone", "pin", "pinned"]


class ProfileGone(Exception):
    """A profile was deleted or replaced since the document was read with it, and no plan kept its content."""


def pin(connection: Connection, plan_id: str, tenant: str, digests: Mapping[str, str]) -> None:
    """Have a plan rest on contents by name; ProfileGone where one is not there any more."""
    if not digests:
        return
    there = select(profile_contents.c.digest).where(
        profile_contents.c.tenant == tenant, profile_contents.c.digest.in_(sorted(set(digests.values())))
    )
    # locked as a foreign key locks it: nobody deletes it before the rows below are committed
    found = set(connection.execute(there.with_for_update(read=True, key_share=True)).scalars())
    if found != set(digests.values()):
        raise ProfileGone(plan_id)
    connection.execute(
        insert(plan_profiles),
        [
            {"plan_id": plan_id, "name": name, "tenant": tenant, "digest": digest}
            for name, digest in sorted(digests.items())
        ],
    )


def pinned(connection: Connection, plan_id: str) -> dict[str, str]:
    """Name → digest of what a plan rests on."""
    query = select(plan_profiles.c.name, plan_profiles.c.digest).where(plan_profiles.c.plan_id == plan_id)
    return {row.name: row.digest for row in connection.execute(query.order_by(plan_profiles.c.name)).all()}
