"""Fleets, their leases and the plans promoted on them.

Every method is one transaction, as in `planner.store.plans`. The row of the fleet is locked for as long as a
promotion takes, so that of two at once the second sees what the first did.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

from sqlalchemy import Connection, and_, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from planner.store.database import Database
from planner.store.plans import wall_clock_us
from planner.store.records import FleetRecord, NewRollout, PlanState, PromotionRecord
from planner.store.rollouts import add_rollout, may_begin_again
from planner.store.schema import fleets, plans, promotions

__all__ = ["FleetChanged", "FleetStore", "Leased", "NoSuchFleet", "NotPromotable"]

RUNNABLE = (PlanState.OPTIMAL.value, PlanState.FEASIBLE.value)
"""States of plans that may be promoted: proven or not, they have instances."""


class NoSuchFleet(Exception):
    """The tenant has no such fleet."""


class FleetChanged(Exception):
    """The fleet has another revision than the caller believed; `revision` is what it has."""

    def __init__(self, revision: int) -> None:
        super().__init__(revision)
        self.revision = revision


class Leased(Exception):
    """Someone else holds the lease of the fleet."""

    def __init__(self, holder: str, expire_us: int) -> None:
        super().__init__(holder, expire_us)
        self.holder = holder
        self.expire_us = expire_us


class NotPromotable(Exception):
    """The plan cannot be promoted on this fleet; the text says why."""


class FleetStore:
    """All fleets of one database.

    Parameters
    ----------
    database
        Where they are.
    clock
        Returns now in µs since the epoch.
    monotonic
        Returns seconds of a clock that nobody sets; decides how long leases seen before still last.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], int] = wall_clock_us,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database = database
        self._clock = clock
        self._monotonic = monotonic

    def register(
        self, tenant: str, name: str, document: str, *, revision: int | None = None, must_exist: bool = False
    ) -> FleetRecord:
        """Store a fleet, or replace its document; the same document again changes nothing.

        Raises
        ------
        NoSuchFleet
            It must exist, and does not.
        FleetChanged
            It has another revision than `revision`.
        """
        try:
            return self._register(tenant, name, document, revision, must_exist)
        except IntegrityError:  # two registered it first at the same moment, and the other won
            return self._register(tenant, name, document, revision, must_exist)

    def _register(
        self, tenant: str, name: str, document: str, revision: int | None, must_exist: bool
    ) -> FleetRecord:
        now = self._clock()
        with self.database.write() as connection:
            found = _row(connection, tenant, name, lock=True)
            if found is None:
                if must_exist or revision is not None:
                    raise NoSuchFleet(name)
                connection.execute(
                    insert(fleets).values(
                        tenant=tenant, name=name, document=document, revision=1, create_us=now, update_us=now
                    )
                )
            else:
                _expect(found, revision)
                if found.document != document:
                    _change(connection, found, now, document=document)
            return self._record(_row(connection, tenant, name))

    def get(self, tenant: str, name: str) -> FleetRecord | None:
        """The fleet of that name, or None."""
        with self.database.read() as connection:
            row = _row(connection, tenant, name)
        return None if row is None else self._record(row)

    def page(self, tenant: str, *, limit: int, after: str = "") -> list[FleetRecord]:
        """Up to `limit` fleets by name, all after `after`."""
        query = (
            select(fleets)
            .where(fleets.c.tenant == tenant, fleets.c.name > after)
            .order_by(fleets.c.name)
            .limit(limit)
        )
        with self.database.read() as connection:
            return [self._record(row) for row in connection.execute(query)]

    def promote(
        self,
        tenant: str,
        name: str,
        plan_id: str,
        *,
        caller: str,
        reason: str = "",
        revision: int | None = None,
        request_id: str | None = None,
        holder: str | None = None,
        rollout: NewRollout | None = None,
    ) -> FleetRecord:
        """Make a plan the promoted one, durably; a repeated request id changes nothing more.

        The promoted plan itself may be promoted again when its rollout did not end well.

        Parameters
        ----------
        rollout
            How the plan comes into effect.

        Raises
        ------
        NoSuchFleet, FleetChanged, Leased, NotPromotable
            As their names say.
        RolloutMoved
            Something else stands than `rollout` begins with.
        """
        with self.database.write() as connection:
            fleet = self._writable(connection, tenant, name, request_id, revision, holder)
            if fleet is None:  # done before
                return self._record(_row(connection, tenant, name))
            plan = connection.execute(
                select(plans.c.fleet, plans.c.state, plans.c.result_json.is_not(None).label("made")).where(
                    plans.c.id == plan_id, plans.c.tenant == tenant
                )
            ).one_or_none()
            if plan is None:
                raise NotPromotable("does not exist")
            if plan.fleet != name:
                raise NotPromotable(f"is a plan of the fleet {plan.fleet!r}, not of {name!r}")
            if plan.state not in RUNNABLE or not plan.made:
                raise NotPromotable(f"has no instances: it is {plan.state}")
            again = plan_id == fleet.promoted_plan_id
            if not again or (rollout is not None and may_begin_again(connection, tenant, name)):
                self._promote(connection, fleet, "promote", plan_id, caller, reason, request_id, rollout)
            return self._record(_row(connection, tenant, name))

    def roll_back(
        self,
        tenant: str,
        name: str,
        *,
        caller: str,
        reason: str = "",
        revision: int | None = None,
        request_id: str | None = None,
        holder: str | None = None,
        rollout: NewRollout | None = None,
    ) -> FleetRecord:
        """Promote again what was promoted before the present plan.

        Parameters
        ----------
        rollout
            How that plan, `plan_before`, comes into effect.

        Raises
        ------
        NoSuchFleet, FleetChanged, Leased, NotPromotable
            As their names say; the last where there is nothing to go back to.
        RolloutMoved
            Something else stands than `rollout` begins with.
        """
        with self.database.write() as connection:
            fleet = self._writable(connection, tenant, name, request_id, revision, holder)
            if fleet is None:
                return self._record(_row(connection, tenant, name))
            before = _plan_before(connection, fleet)
            if before is None:
                raise NotPromotable("nothing was promoted before the present plan")
            self._promote(connection, fleet, "roll_back", before, caller, reason, request_id, rollout)
            return self._record(_row(connection, tenant, name))

    def plan_before(self, tenant: str, name: str) -> str | None:
        """Id of the plan that `roll_back` promotes; None where there is none."""
        with self.database.read() as connection:
            fleet = _row(connection, tenant, name)
            return None if fleet is None else _plan_before(connection, fleet)

    def history(
        self, tenant: str, name: str, *, limit: int, before: int | None = None
    ) -> list[PromotionRecord]:
        """Up to `limit` promotions, newest first, all with a sequence number below `before`."""
        query = (
            select(promotions)
            .where(promotions.c.tenant == tenant, promotions.c.fleet == name)
            .order_by(promotions.c.sequence.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(promotions.c.sequence < before)
        with self.database.read() as connection:
            return [PromotionRecord(**row._mapping) for row in connection.execute(query)]

    def acquire(self, tenant: str, name: str, holder: str, lease_s: float) -> FleetRecord:
        """Take or prolong the lease of a fleet.

        Raises
        ------
        NoSuchFleet, Leased
            As their names say.
        """
        with self.database.write() as connection:
            fleet = _row(connection, tenant, name, lock=True)
            if fleet is None:
                raise NoSuchFleet(name)
            self._refuse_others(fleet, holder)
            expire_us = self._clock() + round(lease_s * 1e6)
            connection.execute(
                update(fleets).where(_is(tenant, name)).values(lease_holder=holder, lease_expire_us=expire_us)
            )
            return self._record(_row(connection, tenant, name))

    def release(self, tenant: str, name: str, holder: str) -> FleetRecord:
        """Give the lease back; nothing happens when `holder` does not have it."""
        with self.database.write() as connection:
            connection.execute(
                update(fleets)
                .where(_is(tenant, name), fleets.c.lease_holder == holder)
                .values(lease_holder=None, lease_expire_us=None)
            )
            row = _row(connection, tenant, name)
            if row is None:
                raise NoSuchFleet(name)
            return self._record(row)

    def _writable(
        self, connection: Connection, tenant: str, name: str, request_id: str | None, revision: int | None,
        holder: str | None,
    ) -> Any:  # fmt: skip
        """The locked row of a fleet that may be changed; None when this very request was done before."""
        fleet = _row(connection, tenant, name, lock=True)
        if fleet is None:
            raise NoSuchFleet(name)
        if request_id is not None:
            same = and_(
                promotions.c.tenant == tenant,
                promotions.c.fleet == name,
                promotions.c.request_id == request_id,
            )
            if connection.execute(select(promotions.c.sequence).where(same)).one_or_none() is not None:
                return None
        self._refuse_others(fleet, holder)
        _expect(fleet, revision)
        return fleet

    def _refuse_others(self, fleet: Any, holder: str | None) -> None:
        if self._is_leased(fleet) and fleet.lease_holder != holder:
            raise Leased(fleet.lease_holder, fleet.lease_expire_us)

    def _is_leased(self, fleet: Any) -> bool:
        return fleet.lease_holder is not None and not self.database.lease_ends.has_ended(
            (fleet.tenant, fleet.name), fleet.lease_holder, fleet.lease_expire_us,
            now_us=self._clock(), monotonic_s=self._monotonic(),
        )  # fmt: skip

    def _promote(
        self, connection: Connection, fleet: Any, kind: Literal["promote", "roll_back"], plan_id: str,
        caller: str, reason: str, request_id: str | None, rollout: NewRollout | None,
    ) -> None:  # fmt: skip
        now = self._clock()
        last = connection.execute(
            select(func.coalesce(func.max(promotions.c.sequence), 0)).where(
                promotions.c.tenant == fleet.tenant, promotions.c.fleet == fleet.name
            )
        ).scalar_one()
        previous = fleet.promoted_plan_id
        if plan_id == previous:  # again, after a rollout that did not end well
            previous = _plan_before(connection, fleet)
        connection.execute(
            insert(promotions).values(
                tenant=fleet.tenant, fleet=fleet.name, sequence=last + 1, kind=kind, plan_id=plan_id,
                previous_plan_id=previous, create_us=now, caller=caller, reason=reason[:500],
                request_id=request_id,
            )
        )  # fmt: skip
        if rollout is not None:
            add_rollout(connection, fleet.tenant, fleet.name, last + 1, plan_id, rollout, now)
        _change(connection, fleet, now, promoted_plan_id=plan_id)

    def _record(self, row: Any) -> FleetRecord:
        values = dict(row._mapping)
        if not self._is_leased(row):
            values["lease_holder"] = values["lease_expire_us"] = None
        return FleetRecord(**values)


def _is(tenant: str, name: str) -> Any:
    return and_(fleets.c.tenant == tenant, fleets.c.name == name)


def _row(connection: Connection, tenant: str, name: str, *, lock: bool = False) -> Any:
    query = select(fleets).where(_is(tenant, name))
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def _plan_before(connection: Connection, fleet: Any) -> str | None:
    """What was promoted before the plan that is now, when that was last promoted."""
    found: str | None = connection.execute(
        select(promotions.c.previous_plan_id)
        .where(
            promotions.c.tenant == fleet.tenant,
            promotions.c.fleet == fleet.name,
            promotions.c.kind == "promote",
            promotions.c.plan_id == fleet.promoted_plan_id,
        )
        .order_by(promotions.c.sequence.desc())
        .limit(1)
    ).scalar_one_or_none()
    return found


def _expect(fleet: Any, revision: int | None) -> None:
    if revision is not None and fleet.revision != revision:
        raise FleetChanged(fleet.revision)


def _change(connection: Connection, fleet: Any, now: int, **values: Any) -> None:
    connection.execute(
        update(fleets)
        .where(_is(fleet.tenant, fleet.name))
        .values(revision=fleets.c.revision + 1, update_us=now, **values)
    )
