"""Fleets of a server: what ``fulcrum fleet`` and ``fulcrum rebalance`` use."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf import duration_pb2

from planner.service.channel import open_channel
from planner.service.client_errors import error_of
from planner.service.protos import fleet_service_pb2
from planner.service.protos import fleet_service_pb2_grpc as fleet_grpc

__all__ = ["FleetClient", "FleetState", "Promoted"]

_CALL_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetState:
    """A fleet as the server has it; `promoted_plan` is a resource name, or empty."""

    name: str
    document: str
    etag: str
    promoted_plan: str
    lease_holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """One entry of a fleet's history; `time_s` is since the epoch."""

    sequence: int
    kind: str
    plan: str
    previous_plan: str
    time_s: float
    caller: str
    reason: str

    @property
    def when(self) -> str:
        """The time in ISO 8601, UTC."""
        return datetime.datetime.fromtimestamp(self.time_s, datetime.UTC).isoformat(timespec="seconds")


class FleetClient:
    """One server; a context manager. Errors are those of `planner.service.client_errors`."""

    def __init__(self, address: str, *, authorities: Path | None = None, token: str | None = None) -> None:
        self.address = address
        self._channel = open_channel(address, authorities=authorities, token=token)
        self._fleets = fleet_grpc.FleetServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()

    def register(self, document: str, *, source: str | None = None) -> FleetState:
        """Register a fleet by a document that stands by itself, or replace its document."""
        request = fleet_service_pb2.RegisterFleetRequest(document=document)
        return _state(self._call(self._fleets.RegisterFleet, request, source))

    def get(self, fleet: str) -> FleetState:
        """The fleet of that name."""
        return _state(
            self._call(self._fleets.GetFleet, fleet_service_pb2.GetFleetRequest(name=f"fleets/{fleet}"))
        )

    def all(self) -> Iterator[FleetState]:
        """Every fleet, by name, without documents."""
        token = ""
        while True:
            page = self._call(
                self._fleets.ListFleets, fleet_service_pb2.ListFleetsRequest(page_token=token, page_size=1000)
            )
            yield from (_state(message) for message in page.fleets)
            token = page.next_page_token
            if not token:
                return

    def promote(
        self,
        fleet: str,
        plan: str,
        *,
        etag: str = "",
        reason: str = "",
        holder: str = "",
        request_id: str = "",
    ) -> FleetState:
        """Promote a plan; with the etag of the fleet it was made for, only if nothing changed since."""
        request = fleet_service_pb2.PromotePlanRequest(
            name=f"fleets/{fleet}", plan=plan, etag=etag, reason=reason, lease_holder=holder,
            request_id=request_id or str(uuid.uuid4()),
        )  # fmt: skip
        return _state(self._call(self._fleets.PromotePlan, request))

    def roll_back(self, fleet: str, *, etag: str = "", reason: str = "", holder: str = "") -> FleetState:
        """Promote again what was promoted before the present plan."""
        request = fleet_service_pb2.RollBackFleetRequest(
            name=f"fleets/{fleet}",
            etag=etag,
            reason=reason,
            lease_holder=holder,
            request_id=str(uuid.uuid4()),
        )
        return _state(self._call(self._fleets.RollBackFleet, request))

    def history(self, fleet: str, *, limit: int = 50) -> tuple[Promoted, ...]:
        """The latest promotions, newest first."""
        request = fleet_service_pb2.ListPromotionsRequest(parent=f"fleets/{fleet}", page_size=limit)
        found = self._call(self._fleets.ListPromotions, request).promotions
        kinds = fleet_service_pb2.Promotion.Kind
        return tuple(
            Promoted(
                sequence=p.sequence,
                kind=kinds.Name(p.kind).removeprefix("KIND_").lower().replace("_", " "),
                plan=p.plan,
                previous_plan=p.previous_plan,
                time_s=p.create_time.ToNanoseconds() / 1e9,
                caller=p.caller,
                reason=p.reason,
            )
            for p in found
        )

    def acquire(self, fleet: str, holder: str, lease_s: float) -> FleetState:
        """Take or prolong the lease; `Unavailable` while another has it."""
        request = fleet_service_pb2.AcquireFleetLeaseRequest(
            name=f"fleets/{fleet}", holder=holder, duration=duration_pb2.Duration(seconds=round(lease_s))
        )
        return _state(self._call(self._fleets.AcquireFleetLease, request))

    def release(self, fleet: str, holder: str) -> None:
        """Give the lease back."""
        request = fleet_service_pb2.ReleaseFleetLeaseRequest(name=f"fleets/{fleet}", holder=holder)
        self._call(self._fleets.ReleaseFleetLease, request)

    def _call(self, method: Callable[..., Any], request: Any, source: str | None = None) -> Any:
        try:
            return method(request, timeout=_CALL_S, wait_for_ready=True)
        except grpc.RpcError as error:
            raise error_of(error, source=source, address=self.address) from None


def _state(message: fleet_service_pb2.Fleet) -> FleetState:
    return FleetState(
        name=message.name.removeprefix("fleets/"), document=message.document, etag=message.etag,
        promoted_plan=message.promoted_plan, lease_holder=message.lease_holder,
    )  # fmt: skip
