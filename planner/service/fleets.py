"""`fulcrum.v1.FleetService`."""
# ruff: noqa: N802 - the names of the RPCs

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any, Concatenate, ParamSpec, TypeVar

import grpc.aio

from planner.service.async_store import AsyncStore
from planner.service.convert import timestamp
from planner.service.create_request import PlanLimits, check_document, checked_request_id
from planner.service.errors import StatusError, failure, invalid_argument, not_found
from planner.service.fleet_rollouts import FleetRollouts
from planner.service.identity import caller, current_tenant
from planner.service.names import fleet_name, parse_fleet, parse_plan, plan_name
from planner.service.own_profiles import OwnProfiles
from planner.service.paging import decode_token, encode_token, page_limit
from planner.service.protos import code_pb2, fleet_service_pb2
from planner.service.rollouts import Rollouts
from planner.store.fleets import FleetChanged, FleetStore, Leased, NoSuchFleet, NotPromotable
from planner.store.lease_ends import LONGEST_LEASE_S
from planner.store.plans import PlanStore
from planner.store.records import FleetRecord, PromotionRecord
from planner.store.refusals import RolloutMoved

__all__ = ["FleetService"]

P = ParamSpec("P")
T = TypeVar("T")
_Context = grpc.aio.ServicerContext[Any, Any]
_HOLDER = re.compile(r"[!-~]{1,64}")
_ATTEMPTS = 20
"""How often a promotion is prepared anew because what stands changed while it was."""
SHORTEST_LEASE_S = 1.0


class FleetService(FleetRollouts):
    """Fleets, leases and promotions, straight from the store."""

    def __init__(
        self, store: AsyncStore, profiles: OwnProfiles, limits: PlanLimits, rollouts: Rollouts
    ) -> None:
        super().__init__(store.store.database, rollouts)
        self._store = store
        self._profiles = profiles
        self._limits = limits

    async def RegisterFleet(
        self, request: fleet_service_pb2.RegisterFleetRequest, context: _Context
    ) -> fleet_service_pb2.Fleet:
        """Check the document as CreatePlan does, and keep it."""
        check_document(request.document, self._limits, "a fleet document")
        name = (await self._profiles.read(current_tenant(), request.document)).fleet
        with _refusals(fleet_name(name), "document"):
            record = await self._write(
                FleetStore.register, current_tenant(), name, request.document,
                revision=None if request.etag == "*" else _revision(request.etag),
                must_exist=bool(request.etag),
            )  # fmt: skip
        return _message(record)

    async def GetFleet(
        self, request: fleet_service_pb2.GetFleetRequest, context: _Context
    ) -> fleet_service_pb2.Fleet:
        """One fleet."""
        record = await self._read(FleetStore.get, current_tenant(), parse_fleet(request.name))
        if record is None:
            raise not_found("fulcrum.dev/Fleet", request.name)
        return _message(record)

    async def ListFleets(
        self, request: fleet_service_pb2.ListFleetsRequest, context: _Context
    ) -> fleet_service_pb2.ListFleetsResponse:
        """One page of fleets."""
        limit = page_limit(request.page_size)
        after = decode_token(request.page_token, "fleets")
        records = await self._read(
            FleetStore.page, current_tenant(), limit=limit + 1, after="" if after is None else after[1]
        )
        response = fleet_service_pb2.ListFleetsResponse(
            fleets=[_message(record, full=False) for record in records[:limit]]
        )
        if len(records) > limit:
            response.next_page_token = encode_token((0, records[limit - 1].name), "fleets")
        return response

    async def PromotePlan(
        self, request: fleet_service_pb2.PromotePlanRequest, context: _Context
    ) -> fleet_service_pb2.Fleet:
        """Make a plan the promoted one."""
        tenant, fleet, plan_id = (
            current_tenant(),
            parse_fleet(request.name),
            parse_plan(request.plan, "plan"),
        )
        asked = _promotion(request)
        with _refusals(request.name, "plan", request.plan):
            for _ in range(_ATTEMPTS):
                rollout = await self._rollouts.prepare(tenant, fleet, plan_id)
                with contextlib.suppress(RolloutMoved):  # engines went on meanwhile
                    record = await self._write(
                        FleetStore.promote, tenant, fleet, plan_id, rollout=rollout, **asked
                    )
                    self._rollouts.changed(tenant, fleet)
                    return _message(record)
        raise _too_busy(request.name)

    async def RollBackFleet(
        self, request: fleet_service_pb2.RollBackFleetRequest, context: _Context
    ) -> fleet_service_pb2.Fleet:
        """Promote the plan before the present one."""
        tenant, fleet = current_tenant(), parse_fleet(request.name)
        asked = _promotion(request)
        with _refusals(request.name, "name"):
            for _ in range(_ATTEMPTS):
                before = await self._read(FleetStore.plan_before, tenant, fleet)
                rollout = None if before is None else await self._rollouts.prepare(tenant, fleet, before)
                with contextlib.suppress(RolloutMoved):
                    record = await self._write(FleetStore.roll_back, tenant, fleet, rollout=rollout, **asked)
                    self._rollouts.changed(tenant, fleet)
                    return _message(record)
        raise _too_busy(request.name)

    async def ListPromotions(
        self, request: fleet_service_pb2.ListPromotionsRequest, context: _Context
    ) -> fleet_service_pb2.ListPromotionsResponse:
        """One page of the history."""
        name, limit = parse_fleet(request.parent, "parent"), page_limit(request.page_size)
        query = f"promotions {name}"
        before = decode_token(request.page_token, query)
        if await self._read(FleetStore.get, current_tenant(), name) is None:
            raise not_found("fulcrum.dev/Fleet", request.parent)
        records = await self._read(
            FleetStore.history, current_tenant(), name, limit=limit + 1,
            before=None if before is None else before[0],
        )  # fmt: skip
        response = fleet_service_pb2.ListPromotionsResponse(
            promotions=[_promotion_message(record) for record in records[:limit]]
        )
        if len(records) > limit:
            response.next_page_token = encode_token((records[limit - 1].sequence, ""), query)
        return response

    async def AcquireFleetLease(
        self, request: fleet_service_pb2.AcquireFleetLeaseRequest, context: _Context
    ) -> fleet_service_pb2.Fleet:
        """Take or prolong the lease."""
        seconds = request.duration.seconds + request.duration.nanos / 1e9
        if not SHORTEST_LEASE_S <= seconds <= LONGEST_LEASE_S:
            raise invalid_argument(
                "duration", f"{seconds:g} s is not between {SHORTEST_LEASE_S:g} and {LONGEST_LEASE_S:g} s"
            )
        with _refusals(request.name, "name"):
            record = await self._write(
                FleetStore.acquire, current_tenant(), parse_fleet(request.name), _holder(request.holder),
                seconds,
            )  # fmt: skip
        return _message(record)

    async def ReleaseFleetLease(
        self, request: fleet_service_pb2.ReleaseFleetLeaseRequest, context: _Context
    ) -> fleet_service_pb2.Fleet:
        """Give the lease back."""
        with _refusals(request.name, "name"):
            record = await self._write(
                FleetStore.release, current_tenant(), parse_fleet(request.name), _holder(request.holder)
            )
        return _message(record)

    async def _read(
        self, method: Callable[Concatenate[FleetStore, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._store.read(lambda store: method(_fleets(store), *args, **kwargs))

    async def _write(
        self, method: Callable[Concatenate[FleetStore, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._store.write(lambda store: method(_fleets(store), *args, **kwargs))


def _fleets(store: PlanStore) -> FleetStore:
    return FleetStore(store.database)


@contextlib.contextmanager
def _refusals(name: str, field: str, plan: str = "") -> Iterator[None]:
    """Turn what the store refuses into statuses."""
    try:
        yield
    except NoSuchFleet:
        raise not_found("fulcrum.dev/Fleet", name) from None
    except FleetChanged as changed:
        raise failure(
            code_pb2.ABORTED, "ETAG_MISMATCH",
            f"{name} changed in the meantime: its etag is {_etag(changed.revision)!r}; read it again",
        ) from None  # fmt: skip
    except Leased as leased:
        raise failure(
            code_pb2.FAILED_PRECONDITION, "LEASED",
            f"{leased.holder} holds the lease of {name}", {"holder": leased.holder},
        ) from None  # fmt: skip
    except NotPromotable as refused:
        raise invalid_argument(field, f"{plan} {refused}".strip(), "NOT_PROMOTABLE") from None


def _too_busy(name: str) -> StatusError:
    return failure(
        code_pb2.ABORTED, "ROLLOUT_BUSY", f"the engines of {name} acknowledged steps all the time; try again"
    )


def _promotion(request: Any) -> dict[str, Any]:
    """What PromotePlan and RollBackFleet have in common."""
    if len(request.reason) > 500:
        raise invalid_argument("reason", f"has {len(request.reason)} characters; at most 500 are kept")
    return {
        "caller": caller.get().name,
        "reason": request.reason,
        "revision": _revision(request.etag),
        "request_id": checked_request_id(request.request_id),
        "holder": request.lease_holder or None,
    }


def _holder(text: str) -> str:
    if not _HOLDER.fullmatch(text):
        raise invalid_argument("holder", "is not 1 to 64 printable ASCII characters without blanks")
    return text


def _etag(revision: int) -> str:
    return f"r{revision}"


def _revision(etag: str) -> int | None:
    if not etag:
        return None
    if not re.fullmatch(r"r[0-9]{1,9}", etag):
        raise invalid_argument("etag", f"{etag[:40]!r} is no etag of this server")
    return int(etag[1:])


def _message(record: FleetRecord, *, full: bool = True) -> fleet_service_pb2.Fleet:
    message = fleet_service_pb2.Fleet(
        name=fleet_name(record.name), etag=_etag(record.revision), create_time=timestamp(record.create_us),
        update_time=timestamp(record.update_us), lease_holder=record.lease_holder or "",
    )  # fmt: skip
    if full:
        message.document = record.document
    if record.promoted_plan_id is not None:
        message.promoted_plan = plan_name(record.promoted_plan_id)
    if record.lease_expire_us is not None:
        message.lease_expire_time.CopyFrom(timestamp(record.lease_expire_us))
    return message


def _promotion_message(record: PromotionRecord) -> fleet_service_pb2.Promotion:
    return fleet_service_pb2.Promotion(
        sequence=record.sequence,
        kind=f"KIND_{record.kind.upper()}",
        plan=plan_name(record.plan_id),
        previous_plan=plan_name(record.previous_plan_id) if record.previous_plan_id else "",
        create_time=timestamp(record.create_us),
        caller=record.caller,
        reason=record.reason,
    )
