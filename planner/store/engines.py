"""Registered engines, their leases and what they last said of themselves. Every method is one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from planner.store.database import Database
from planner.store.plans import wall_clock_us
from planner.store.records import EngineRecord
from planner.store.refusals import NoSuchEngine, RegistrationRefused
from planner.store.rollouts import touch
from planner.store.schema import engines, fleets

__all__ = ["EngineStore"]

MOST_ENGINES = 20_000
"""Of one fleet."""


class EngineStore:
    """All engines of one database."""

    def __init__(self, database: Database, clock: Callable[[], int] = wall_clock_us) -> None:
        self.database = database
        self._clock = clock

    def register(
        self, tenant: str, fleet: str, engine: str, *, node: str, gpus: Collection[int], facts_json: str,
        lease_us: int,
    ) -> EngineRecord:  # fmt: skip
        """Store an engine, or what is new about it, and renew its lease.

        Parameters
        ----------
        gpus
            Empty: all of the node.
        facts_json
            What it says of itself, with `gpus` under ``gpu_indices``.

        Raises
        ------
        RegistrationRefused
            The id, or one of the GPUs, is another live engine's; or the fleet has too many.
        NoSuchEngine
            The fleet does not exist.
        """
        try:
            return self._register(tenant, fleet, engine, node, gpus, facts_json, lease_us)
        except IntegrityError:  # it registered twice at the same moment, and the other was first
            return self._register(tenant, fleet, engine, node, gpus, facts_json, lease_us)

    def _register(
        self, tenant: str, fleet: str, engine: str, node: str, gpus: Collection[int], facts_json: str,
        lease_us: int,
    ) -> EngineRecord:  # fmt: skip
        now = self._clock()
        with self.database.write() as connection:
            # of two that want the same GPUs at the same moment, the second waits here and sees the first
            known = select(fleets.c.name).where(fleets.c.tenant == tenant, fleets.c.name == fleet)
            if connection.execute(known.with_for_update()).one_or_none() is None:
                raise NoSuchEngine(fleet)
            found = _row(connection, tenant, fleet, engine, lock=True)
            if found is not None and found.node != node and found.seen_us + found.lease_us > now:
                raise RegistrationRefused(
                    "ENGINE_ELSEWHERE",
                    f"{engine} is registered on {found.node}, where it was heard of just now",
                )
            self._refuse_shared(connection, tenant, fleet, engine, node, gpus, now)
            news = found is None or found.seen_us + found.lease_us <= now
            if news or (found.node, found.facts_json) != (node, facts_json):
                touch(connection, tenant, fleet, now)
            values = {"node": node, "facts_json": facts_json, "lease_us": lease_us, "seen_us": now}
            if found is not None:
                connection.execute(update(engines).where(_is(tenant, fleet, engine)).values(**values))
            else:
                count = select(func.count()).where(engines.c.tenant == tenant, engines.c.fleet == fleet)
                if connection.execute(count).scalar_one() >= MOST_ENGINES:
                    raise RegistrationRefused(
                        "TOO_MANY_ENGINES", f"the fleet has {MOST_ENGINES} engines, the most there may be"
                    )
                key = {"tenant": tenant, "fleet": fleet, "id": engine}
                connection.execute(
                    insert(engines).values(**key, **values, create_us=now, instances_json="[]")
                )
            return _record(_row(connection, tenant, fleet, engine), now)

    def get(self, tenant: str, fleet: str, engine: str) -> EngineRecord | None:
        """One engine, or None."""
        with self.database.read() as connection:
            row = _row(connection, tenant, fleet, engine)
        return None if row is None else _record(row, self._clock())

    def page(self, tenant: str, fleet: str, *, limit: int, after: str = "") -> list[EngineRecord]:
        """Up to `limit` engines by id, all after `after`."""
        query = (
            select(engines)
            .where(engines.c.tenant == tenant, engines.c.fleet == fleet, engines.c.id > after)
            .order_by(engines.c.id)
            .limit(limit)
        )
        now = self._clock()
        with self.database.read() as connection:
            return [_record(row, now) for row in connection.execute(query)]

    def all(self, tenant: str, fleet: str) -> list[EngineRecord]:
        """All engines of a fleet."""
        return self.page(tenant, fleet, limit=MOST_ENGINES)

    def delete(self, tenant: str, fleet: str, engine: str) -> None:
        """Forget an engine; nothing happens where there is none."""
        with self.database.write() as connection:
            if connection.execute(delete(engines).where(_is(tenant, fleet, engine))).rowcount:
                touch(connection, tenant, fleet, self._clock())

    def heard(
        self, tenant: str, fleet: str, engine: str, *, instances_json: str | None = None
    ) -> EngineRecord:
        """Renew the lease of an engine, and store what it says of its instances; NoSuchEngine where none."""
        now = self._clock()
        values: dict[str, Any] = {"seen_us": now}
        if instances_json is not None:
            values["instances_json"] = instances_json
        with self.database.write() as connection:
            connection.execute(update(engines).where(_is(tenant, fleet, engine)).values(**values))
            row = _row(connection, tenant, fleet, engine)
            if row is None:
                raise NoSuchEngine(engine)
            return _record(row, now)

    def _refuse_shared(
        self, connection: Connection, tenant: str, fleet: str, engine: str, node: str,
        gpus: Collection[int], now: int,
    ) -> None:  # fmt: skip
        others = connection.execute(
            select(engines.c.id, engines.c.facts_json).where(
                engines.c.tenant == tenant,
                engines.c.fleet == fleet,
                engines.c.node == node,
                engines.c.id != engine,
                engines.c.seen_us + engines.c.lease_us > now,
            )
        ).all()
        for other in others:
            theirs = set(json.loads(other.facts_json)["gpu_indices"])
            if not gpus or not theirs or theirs & set(gpus):
                raise RegistrationRefused(
                    "GPUS_TAKEN",
                    f"{other.id} has GPUs of {node} that this engine wants; it was heard of just now",
                )


def _is(tenant: str, fleet: str, engine: str) -> Any:
    return and_(engines.c.tenant == tenant, engines.c.fleet == fleet, engines.c.id == engine)


def _row(connection: Connection, tenant: str, fleet: str, engine: str, *, lock: bool = False) -> Any:
    query = select(engines).where(_is(tenant, fleet, engine))
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def _record(row: Any, now: int) -> EngineRecord:
    return EngineRecord(**row._mapping, live=row.seen_us + row.lease_us > now)
