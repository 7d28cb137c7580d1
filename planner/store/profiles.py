"""Uploaded profiles in a database.

A name has a content, and contents never change: a plan keeps the one it was asked for with, whatever the
name has later. Every method is one transaction, as in `planner.store.plans`; those that write for one tenant
wait for each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, func, insert, not_, select, text, update
from sqlalchemy.exc import IntegrityError

from planner.store.database import Database
from planner.store.plan_profiles import pinned
from planner.store.plans import RequestIdReused, wall_clock_us
from planner.store.records import NewProfile, ProfileRecord
from planner.store.schema import plan_profiles, profile_contents, profile_tables, profile_uploads, profiles

__all__ = ["ProfileContent", "ProfileDeleted", "ProfileExists", "ProfileQuotaFull", "ProfileStore"]

_LOCK = 0x46554C50
"""First key of the advisory locks under which PostgreSQL changes the profiles of one tenant."""


class ProfileExists(Exception):
    """The name has other content, and it was not said that it may be replaced."""


class ProfileDeleted(Exception):
    """What is asked for once more was done, and deleted since."""


class ProfileQuotaFull(Exception):
    """The tenant may not keep so much; the text says of what."""


@dataclass(frozen=True, slots=True)
class ProfileContent:
    """A manifest and the Parquet files of its tables, by operation."""

    manifest_json: str
    tables: dict[str, bytes]


class ProfileStore:
    """All uploaded profiles of one database.

    Parameters
    ----------
    clock
        Returns now in µs since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], int] = wall_clock_us) -> None:
        self.database = database
        self._clock = clock

    def add(
        self, new: NewProfile, *, most_profiles: int | None = None, most_bytes: int | None = None
    ) -> ProfileRecord:
        """Keep a profile, durably. A repeated request, and content that the name has, change nothing.

        Parameters
        ----------
        most_profiles
            How many the tenant may have, this one included; None is no limit.
        most_bytes
            Of all contents the tenant has, those that only plans still rest on included.

        Raises
        ------
        RequestIdReused
            The request id is known with another upload.
        ProfileDeleted
            The request was done before, and the profile deleted since.
        ProfileExists
            The name has other content, and it may not be replaced.
        ProfileQuotaFull
            It would be more than the tenant may have.
        """
        try:
            return self._add(new, most_profiles, most_bytes)
        except IntegrityError:  # a plan began to rest on what was to be swept away
            return self._add(new, most_profiles, most_bytes)

    def _add(self, new: NewProfile, most_profiles: int | None, most_bytes: int | None) -> ProfileRecord:
        now = self._clock()
        with self.database.write() as connection:
            _alone(connection, new.tenant)
            known = _row(connection, new.tenant, new.name)
            if self._was_done(connection, new, now):
                if known is None:
                    raise ProfileDeleted(new.name)
                return _record(known)
            if known is not None and known.digest == new.digest:
                return _record(known)
            if known is not None and not new.replace_existing:
                raise ProfileExists(new.name)
            if (
                known is None
                and most_profiles is not None
                and _count(connection, new.tenant) >= most_profiles
            ):
                raise ProfileQuotaFull(f"has {most_profiles} profiles")
            self._add_content(connection, new)
            values = {"digest": new.digest, "upload_us": now, "uploader": new.uploader}
            if known is None:
                connection.execute(insert(profiles).values(tenant=new.tenant, name=new.name, **values))
            else:
                connection.execute(update(profiles).where(_is(new.tenant, new.name)).values(**values))
            _sweep(connection, new.tenant)
            kept = _kept_bytes(connection, new.tenant)
            if most_bytes is not None and kept > most_bytes:
                raise ProfileQuotaFull(
                    f"would have {kept:,} bytes of profiles, those that only plans rest on included, "
                    f"of at most {most_bytes:,}"
                )
            return _record(_row(connection, new.tenant, new.name))

    def get(self, tenant: str, name: str) -> ProfileRecord | None:
        """The profile of that name, or None."""
        with self.database.read() as connection:
            row = _row(connection, tenant, name)
        return None if row is None else _record(row)

    def page(self, tenant: str, *, limit: int, after: str = "") -> list[ProfileRecord]:
        """Up to `limit` profiles by name, all after `after`."""
        names = select(profiles.c.name).where(profiles.c.tenant == tenant)
        with self.database.read() as connection:
            # ordered here: databases differ in how they order letters, and a tenant has few
            known = sorted(connection.execute(names).scalars().all())
            asked = [name for name in known if name > after][:limit]
            rows = connection.execute(
                _SELECT.where(profiles.c.tenant == tenant, profiles.c.name.in_(asked))
            ).all()
        return sorted((_record(row) for row in rows), key=lambda record: record.name)

    def digests(self, tenant: str) -> dict[str, str]:
        """Name → digest of every profile of a tenant."""
        query = select(profiles.c.name, profiles.c.digest).where(profiles.c.tenant == tenant)
        with self.database.read() as connection:
            return {row.name: row.digest for row in connection.execute(query).all()}

    def pinned(self, plan_id: str) -> dict[str, str]:
        """Name → digest of the profiles that a plan rests on."""
        with self.database.read() as connection:
            return pinned(connection, plan_id)

    def content(self, tenant: str, digest: str) -> ProfileContent | None:
        """Manifest and tables of a content, or None."""
        one = and_(profile_contents.c.tenant == tenant, profile_contents.c.digest == digest)
        of_it = and_(profile_tables.c.tenant == tenant, profile_tables.c.digest == digest)
        with self.database.read() as connection:
            manifest = connection.execute(
                select(profile_contents.c.manifest_json).where(one)
            ).scalar_one_or_none()
            rows = connection.execute(
                select(profile_tables.c.operation, profile_tables.c.content)
                .where(of_it)
                .order_by(profile_tables.c.operation)
            ).all()
        return None if manifest is None else ProfileContent(manifest, {name: bytes(it) for name, it in rows})

    def sizes(self, tenant: str, digest: str) -> tuple[str, dict[str, int]] | None:
        """Manifest of a content, and the bytes of its tables by operation; None where there is no such."""
        one = and_(profile_contents.c.tenant == tenant, profile_contents.c.digest == digest)
        of_it = and_(profile_tables.c.tenant == tenant, profile_tables.c.digest == digest)
        with self.database.read() as connection:
            manifest = connection.execute(
                select(profile_contents.c.manifest_json).where(one)
            ).scalar_one_or_none()
            rows = connection.execute(
                select(profile_tables.c.operation, func.length(profile_tables.c.content))
                .where(of_it)
                .order_by(profile_tables.c.operation)
            ).all()
        return None if manifest is None else (manifest, {row[0]: row[1] for row in rows})

    def part(self, tenant: str, digest: str, operation: str, *, start: int, count: int) -> bytes | None:
        """Bytes `start` to `start + count` of a table, or None where there is no such."""
        one = and_(
            profile_tables.c.tenant == tenant, profile_tables.c.digest == digest,
            profile_tables.c.operation == operation,
        )  # fmt: skip
        cut = func.substr(profile_tables.c.content, start + 1, count, type_=profile_tables.c.content.type)
        with self.database.read() as connection:
            found = connection.execute(select(cut).where(one)).scalar_one_or_none()
        return None if found is None else bytes(found)

    def delete(self, tenant: str, name: str) -> bool:
        """Forget a profile, and its content unless a plan rests on it; False where there is none."""
        try:
            return self._delete(tenant, name)
        except IntegrityError:  # as in `add`
            return self._delete(tenant, name)

    def _delete(self, tenant: str, name: str) -> bool:
        with self.database.write() as connection:
            _alone(connection, tenant)
            done = connection.execute(delete(profiles).where(_is(tenant, name))).rowcount == 1
            _sweep(connection, tenant)
        return done

    def _was_done(self, connection: Connection, new: NewProfile, now: int) -> bool:
        """Whether this very request was done before; else it is noted, in this transaction."""
        if new.request_id is None:
            return False
        text_ = f"{new.name} {new.digest} {new.replace_existing}"
        digest = hashlib.sha256(text_.encode()).hexdigest()
        same = and_(profile_uploads.c.tenant == new.tenant, profile_uploads.c.request_id == new.request_id)
        known = connection.execute(select(profile_uploads.c.request_digest).where(same)).scalar_one_or_none()
        if known is None:
            connection.execute(
                insert(profile_uploads).values(
                    tenant=new.tenant, request_id=new.request_id, request_digest=digest, create_us=now
                )
            )
        elif known != digest:
            raise RequestIdReused(new.request_id)
        return known is not None

    def _add_content(self, connection: Connection, new: NewProfile) -> None:
        key = {"tenant": new.tenant, "digest": new.digest}
        one = and_(profile_contents.c.tenant == new.tenant, profile_contents.c.digest == new.digest)
        if connection.execute(select(profile_contents.c.digest).where(one)).one_or_none() is not None:
            return  # another name has it, or a plan
        connection.execute(
            insert(profile_contents).values(**key, manifest_json=new.manifest_json, size_bytes=new.size_bytes)
        )
        connection.execute(
            insert(profile_tables),
            [{**key, "operation": name, "content": content} for name, content in sorted(new.tables.items())],
        )


_SELECT = select(
    profiles, profile_contents.c.manifest_json, profile_contents.c.size_bytes
).join(
    profile_contents,
    and_(profiles.c.tenant == profile_contents.c.tenant, profiles.c.digest == profile_contents.c.digest),
)  # fmt: skip


def _is(tenant: str, name: str) -> Any:
    return and_(profiles.c.tenant == tenant, profiles.c.name == name)


def _row(connection: Connection, tenant: str, name: str) -> Any:
    return connection.execute(_SELECT.where(_is(tenant, name))).one_or_none()


def _record(row: Any) -> ProfileRecord:
    return ProfileRecord(**row._mapping)


def _alone(connection: Connection, tenant: str) -> None:
    """Wait for whoever else changes profiles of this tenant; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        lock = text("SELECT pg_advisory_xact_lock(:key, hashtext(:tenant))")
        connection.execute(lock, {"key": _LOCK, "tenant": tenant})


def _count(connection: Connection, tenant: str) -> int:
    query = select(func.count()).select_from(profiles).where(profiles.c.tenant == tenant)
    return int(connection.execute(query).scalar_one())


def _kept_bytes(connection: Connection, tenant: str) -> int:
    query = select(func.coalesce(func.sum(profile_contents.c.size_bytes), 0))
    return int(connection.execute(query.where(profile_contents.c.tenant == tenant)).scalar_one())


def _sweep(connection: Connection, tenant: str) -> None:
    """Delete the contents of a tenant that no name and no plan has."""
    unused = (
        not_(exists().where(_same(user, profile_contents)).correlate(profile_contents))
        for user in (profiles, plan_profiles)
    )
    connection.execute(delete(profile_contents).where(profile_contents.c.tenant == tenant, *unused))


def _same(user: Any, contents: Any) -> Any:
    return and_(user.c.tenant == contents.c.tenant, user.c.digest == contents.c.digest)
