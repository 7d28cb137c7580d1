"""Plans and their progress in a database.

Every method is one transaction and blocks; the service calls them from a thread. A plan is claimed by one
owner at a time, by lease: whoever finds a lease that is no longer renewed may take it (`leases`, `claim`),
and every write of an owner is refused once the lease is another's. So no plan is finished twice, whatever is
killed and when.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
import time
from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import Connection, and_, func, insert, not_, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from planner.store.database import Database
from planner.store.events import append_event, events_after, last_event
from planner.store.plan_profiles import pin
from planner.store.records import EventRecord, Lease, NewPlan, PlanOptionsRecord, PlanRecord, PlanState
from planner.store.schema import plans

__all__ = ["PlanStore", "QueueFull", "RequestIdReused", "wall_clock_us"]


def wall_clock_us() -> int:
    """Now, in µs since the epoch."""
    return time.time_ns() // 1000


class RequestIdReused(Exception):
    """A request id came again with another request."""


class QueueFull(Exception):
    """A tenant has as many unfinished plans as it may; `limit` is how many that is."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class PlanStore:
    """All plans of one database.

    Parameters
    ----------
    database
        Where they are.
    clock
        Returns now in µs since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], int] = wall_clock_us) -> None:
        self.database = database
        self._clock = clock

    def now_us(self) -> int:
        """Now by the clock of this store, in µs since the epoch."""
        return self._clock()

    def add(self, new: NewPlan, *, most_waiting: int | None = None) -> tuple[PlanRecord, bool]:
        """Store a plan to be made, durably.

        Parameters
        ----------
        most_waiting
            Most unfinished plans the tenant may have, this one included; None is no limit.

        Returns
        -------
        The record, and True when it is new; False when `new` repeats an earlier request with the same
        request id.

        Raises
        ------
        RequestIdReused
            The request id is known with another digest.
        QueueFull
            The tenant has `most_waiting` unfinished plans already.
        ProfileGone
            A profile it is to rest on is not there any more.
        """
        try:
            return self._add(new, most_waiting)
        except IntegrityError:  # the same request came at the same moment over another connection, and won
            return self._add(new, most_waiting)

    def requested(self, tenant: str, request_id: str, digest: str | None) -> PlanRecord | None:
        """The plan that an earlier request made, or None; RequestIdReused where it had another digest."""
        with self.database.read() as connection:
            return _requested(connection, tenant, request_id, digest)

    def _add(self, new: NewPlan, most_waiting: int | None) -> tuple[PlanRecord, bool]:
        with self.database.write() as connection:
            if new.request_id is not None:
                known = _requested(connection, new.tenant, new.request_id, new.request_digest)
                if known is not None:
                    return known, False
            if most_waiting is not None and _count_waiting(connection, new.tenant) >= most_waiting:
                raise QueueFull(most_waiting)
            values: dict[str, Any] = dataclasses.asdict(new)
            values["options_json"] = json.dumps(values.pop("options"), sort_keys=True)
            del values["profiles"]
            plan_id = secrets.token_hex(16)
            connection.execute(
                insert(plans).values(
                    id=plan_id,
                    state=PlanState.QUEUED.value,
                    revision=1,
                    create_us=self._clock(),
                    attempt_count=0,
                    cancel_requested=False,
                    **values,
                )
            )
            pin(connection, plan_id, new.tenant, new.profiles)
            return _get(connection, plan_id), True

    def get(self, plan_id: str, *, tenant: str | None = None) -> PlanRecord | None:
        """The plan of that id, or None; with `tenant`, None also when it is another's."""
        query = select(plans).where(plans.c.id == plan_id)
        if tenant is not None:
            query = query.where(plans.c.tenant == tenant)
        with self.database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _record(row)

    def page(
        self,
        *,
        tenant: str | None,
        limit: int,
        before: tuple[int, str] | None = None,
        states: Collection[PlanState] = (),
        fleet: str | None = None,
    ) -> list[PlanRecord]:
        """Up to `limit` plans, newest first, all older than `before` = (create_us, id)."""
        query = select(plans).order_by(plans.c.create_us.desc(), plans.c.id.desc()).limit(limit)
        if tenant is not None:
            query = query.where(plans.c.tenant == tenant)
        if before is not None:
            query = query.where(tuple_(plans.c.create_us, plans.c.id) < tuple_(*before))
        if states:
            query = query.where(plans.c.state.in_(sorted(s.value for s in states)))
        if fleet is not None:
            query = query.where(plans.c.fleet == fleet)
        with self.database.read() as connection:
            return [_record(row) for row in connection.execute(query)]

    def leases(self) -> list[Lease]:
        """Who has which running plan."""
        query = select(plans.c.id, plans.c.lease_owner, plans.c.lease_expire_us).where(
            plans.c.state == PlanState.RUNNING.value
        )
        with self.database.read() as connection:
            return [Lease(*row) for row in connection.execute(query)]

    def claim(self, owner: str, lease_s: float, lost: Collection[Lease] = ()) -> PlanRecord | None:
        """Take the next plan to work on, or None when there is none.

        Tenants take turns: first those with the fewest plans running, among them the one whose last start is
        longest ago; within a tenant the oldest request. A plan whose lease is among `lost`, and still the
        same, counts as waiting.
        """
        now = self._clock()
        waiting = or_(plans.c.state == PlanState.QUEUED.value, _held_by(plans, lost))
        other = plans.alias("other")
        running = (
            select(func.count())
            .where(
                other.c.tenant == plans.c.tenant,
                other.c.state == PlanState.RUNNING.value,
                not_(_held_by(other, lost)),
            )
            .scalar_subquery()
        )
        last_start = (
            select(func.coalesce(func.max(other.c.start_us), 0))
            .where(other.c.tenant == plans.c.tenant)
            .scalar_subquery()
        )
        with self.database.write() as connection:
            heads = (  # per tenant its oldest, so that the two look-ups run once a tenant and not once a plan
                select(func.min(plans.c.create_us)).where(waiting).group_by(plans.c.tenant).scalar_subquery()
            )
            query = (
                select(plans.c.id)
                .where(waiting, plans.c.create_us.in_(heads))
                .order_by(running, last_start, plans.c.create_us, plans.c.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            plan_id = connection.execute(query).scalar_one_or_none()
            if plan_id is None:
                return None
            connection.execute(
                update(plans)
                .where(plans.c.id == plan_id)
                .values(
                    state=PlanState.RUNNING.value,
                    revision=plans.c.revision + 1,
                    attempt_count=plans.c.attempt_count + 1,
                    start_us=now,
                    lease_owner=owner,
                    lease_expire_us=now + round(lease_s * 1e6),
                )
            )
            return _get(connection, plan_id)

    def renew(self, plan_id: str, owner: str, lease_s: float) -> bool | None:
        """Prolong the lease. Returns None when it is lost, else whether cancelling was asked for."""
        with self.database.write() as connection:
            row = connection.execute(
                update(plans)
                .where(_owned(plan_id, owner))
                .values(lease_expire_us=self._clock() + round(lease_s * 1e6))
                .returning(plans.c.cancel_requested)
            ).one_or_none()
        return None if row is None else bool(row.cancel_requested)

    def release(self, plan_id: str, owner: str) -> bool:
        """Hand a claimed plan back unmade (a server that shuts down); True when it was still ours."""
        with self.database.write() as connection:
            done = connection.execute(
                update(plans)
                .where(_owned(plan_id, owner))
                .values(
                    state=PlanState.QUEUED.value,
                    revision=plans.c.revision + 1,
                    attempt_count=plans.c.attempt_count - 1,
                    lease_owner=None,
                    lease_expire_us=None,
                )
            )
        return done.rowcount == 1

    def finish(
        self,
        plan_id: str,
        owner: str,
        state: PlanState,
        *,
        result_json: str | None = None,
        error: bytes | None = None,
    ) -> bool:
        """Store the outcome of a claimed plan, durably; False, and nothing stored, when the lease is lost."""
        with self.database.write() as connection:
            done = connection.execute(
                update(plans)
                .where(_owned(plan_id, owner))
                .values(
                    state=state.value,
                    revision=plans.c.revision + 1,
                    end_us=self._clock(),
                    result_json=result_json,
                    error=error,
                    lease_owner=None,
                    lease_expire_us=None,
                )
            )
        return done.rowcount == 1

    def request_cancel(self, plan_id: str) -> PlanRecord | None:
        """Ask for a plan to be cancelled: at once when it is queued, through its owner when it is running."""
        with self.database.write() as connection:
            mine = plans.c.id == plan_id
            # or its owner could hand it back between the two, and it would be neither
            connection.execute(select(plans.c.id).where(mine).with_for_update())
            connection.execute(
                update(plans)
                .where(mine, plans.c.state == PlanState.QUEUED.value)
                .values(
                    state=PlanState.CANCELLED.value,
                    revision=plans.c.revision + 1,
                    end_us=self._clock(),
                    cancel_requested=True,
                )
            )
            connection.execute(
                update(plans)
                .where(mine, plans.c.state == PlanState.RUNNING.value)
                .values(cancel_requested=True)
            )
            row = connection.execute(select(plans).where(mine)).one_or_none()
        return None if row is None else _record(row)

    def add_event(
        self,
        plan_id: str,
        owner: str,
        *,
        state: PlanState,
        phase: str,
        elapsed_s: float,
        objective: float | None = None,
        bound: float | None = None,
        gap: float | None = None,
    ) -> EventRecord | None:
        """Append one step of progress and return it with its sequence number; None when the lease is lost."""
        with self.database.write() as connection:
            mine = select(plans.c.id).where(_owned(plan_id, owner)).with_for_update()
            if connection.execute(mine).one_or_none() is None:
                return None
            return append_event(
                connection,
                plan_id,
                create_us=self._clock(),
                state=state,
                phase=phase,
                elapsed_s=elapsed_s,
                objective=objective,
                bound=bound,
                gap=gap,
            )

    def events(self, plan_id: str, *, after_sequence: int = 0, limit: int = 1000) -> list[EventRecord]:
        """Up to `limit` events of a plan with a sequence above `after_sequence`, in order."""
        with self.database.read() as connection:
            return events_after(connection, plan_id, after_sequence, limit)

    def last_event(self, plan_id: str) -> EventRecord | None:
        """The latest event of a plan, or None."""
        with self.database.read() as connection:
            return last_event(connection, plan_id)


def _requested(connection: Connection, tenant: str, request_id: str, digest: str | None) -> PlanRecord | None:
    same = and_(plans.c.tenant == tenant, plans.c.request_id == request_id)
    known = connection.execute(select(plans).where(same)).one_or_none()
    if known is not None and known.request_digest != digest:
        raise RequestIdReused(request_id)
    return None if known is None else _record(known)


def _count_waiting(connection: Connection, tenant: str) -> int:
    """Unfinished plans of a tenant."""
    unfinished = plans.c.state.in_([PlanState.QUEUED.value, PlanState.RUNNING.value])
    query = select(func.count()).select_from(plans).where(plans.c.tenant == tenant, unfinished)
    return int(connection.execute(query).scalar_one())


def _held_by(table: Any, leases: Collection[Lease]) -> Any:
    """Rows of `table`, which is ``plans``, that run under one of these leases."""
    keys = [(lease.plan_id, lease.owner, lease.expire_us) for lease in leases]
    return and_(
        table.c.state == PlanState.RUNNING.value,
        tuple_(table.c.id, table.c.lease_owner, table.c.lease_expire_us).in_(keys),
    )


def _owned(plan_id: str, owner: str) -> Any:
    return and_(plans.c.id == plan_id, plans.c.lease_owner == owner, plans.c.state == PlanState.RUNNING.value)


def _get(connection: Connection, plan_id: str) -> PlanRecord:
    return _record(connection.execute(select(plans).where(plans.c.id == plan_id)).one())


def _record(row: Any) -> PlanRecord:
    values = dict(row._mapping)
    for internal in ("lease_owner", "lease_expire_us"):
        values.pop(internal)
    options = PlanOptionsRecord(**json.loads(values.pop("options_json")))
    return PlanRecord(**{**values, "state": PlanState(values["state"]), "options": options})
