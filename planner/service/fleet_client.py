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

from planner.latency import LatencyHistogram
from planner.service.channel import open_channel
from planner.service.client_errors import error_of
from planner.service.protos import (
    engine_service_pb2,
    fleet_service_pb2,
    load_pb2,
    plan_pb2,
    rollout_pb2,
)
from planner.service.protos import engine_service_pb2_grpc as engine_grpc
from planner.service.protos import fleet_service_pb2_grpc as fleet_grpc

__all__ = ["EngineState", "FleetClient", "FleetState", "Load", "Promoted", "RolloutState", "StepState"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """One step of a rollout; `state` is waiting, open, started, done or failed."""

    index: int
    kind: str
    instance: str
    nodes: tuple[str, ...]
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutState:
    """A rollout; `state` is rolling, done, failed, stopped or superseded. Times are since the epoch."""

    generation: int
    plan: str
    state: str
    reason: str
    steps: tuple[StepState, ...]
    waiting_nodes: tuple[str, ...]
    create_s: float
    update_s: float
    end_s: float | None

    @property
    def done_count(self) -> int:
        """Steps that are done."""
        return sum(step.state == "done" for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """An engine as the server knows it: of each instance, by id, its state and how often it was started
    again.
    """

    name: str
    node: str
    gpus: tuple[int, ...]
    state: str
    seen_s: float
    instances: dict[str, str]
    restarts: dict[str, int]
    labels: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the instances of a workload did in the window that ends at `end_s`, since the epoch."""

    workload: str
    end_s: float
    rate_per_s: float
    instance_count: int
    cold_count: int
    ttft: LatencyHistogram | None
    tpot: LatencyHistogram | None


class FleetClient:
    """One server; a context manager. Errors are those of `planner.service.client_errors`."""

    def __init__(self, address: str, *, authorities: Path | None = None, token: str | None = None) -> None:
        self.address = address
        self._channel = open_channel(address, authorities=authorities, token=token)
        self._fleets = fleet_grpc.FleetServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._engines = engine_grpc.EngineServiceStub(self._channel)  # type: ignore[no-untyped-call]

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

    def rollout(self, fleet: str, generation: int | None = None) -> RolloutState | None:
        """How far the last promotion of a fleet, or one by its generation, is in effect; None: no such."""
        which = "-" if generation is None else generation
        request = fleet_service_pb2.GetRolloutRequest(name=f"fleets/{fleet}/rollouts/{which}")
        try:
            return _rollout(self._fleets.GetRollout(request, timeout=_CALL_S, wait_for_ready=True))
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise error_of(error, source=None, address=self.address) from None

    def stop_rollout(
        self, fleet: str, *, generation: int = 0, reason: str = "", holder: str = ""
    ) -> RolloutState:
        """Begin no more steps of the last rollout."""
        request = fleet_service_pb2.StopRolloutRequest(
            parent=f"fleets/{fleet}", generation=generation, reason=reason, lease_holder=holder
        )
        return _rollout(self._call(self._fleets.StopRollout, request))

    def engines(self, fleet: str) -> Iterator[EngineState]:
        """Every engine of a fleet, by id."""
        token = ""
        while True:
            request = engine_service_pb2.ListEnginesRequest(
                parent=f"fleets/{fleet}", page_size=1000, page_token=token
            )
            page = self._call(self._engines.ListEngines, request)
            yield from map(_engine, page.engines)
            token = page.next_page_token
            if not token:
                return

    def load(self, fleet: str, *, start_s: float, end_s: float, step_s: float) -> Iterator[Load]:
        """What engines reported, by window of `step_s` and workload; times are since the epoch."""
        request = fleet_service_pb2.ListLoadRequest(parent=f"fleets/{fleet}", page_size=1000)
        request.start_time.FromNanoseconds(round(start_s * 1e9))
        request.end_time.FromNanoseconds(round(end_s * 1e9))
        request.step.FromNanoseconds(round(step_s * 1e9))
        while True:
            page = self._call(self._fleets.ListLoad, request)
            yield from map(_load, page.loads)
            request.page_token = page.next_page_token
            if not request.page_token:
                return

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


def _rollout(message: rollout_pb2.Rollout) -> RolloutState:
    return RolloutState(
        generation=message.generation, plan=message.plan, reason=message.reason,
        state=rollout_pb2.Rollout.State.Name(message.state).removeprefix("STATE_").lower(),
        steps=tuple(
            StepState(
                index=one.step.index, instance=one.instance_id, reason=one.reason,
                kind=plan_pb2.TransitionStep.Kind.Name(one.step.kind).removeprefix("KIND_").lower(),
                nodes=tuple(dict.fromkeys(stage.node for stage in one.step.stages)),
                state=rollout_pb2.RolloutStep.State.Name(one.state).removeprefix("STATE_").lower(),
            )
            for one in message.steps
        ),
        waiting_nodes=tuple(message.waiting_nodes), create_s=message.create_time.ToNanoseconds() / 1e9,
        update_s=message.update_time.ToNanoseconds() / 1e9,
        end_s=message.end_time.ToNanoseconds() / 1e9 if message.HasField("end_time") else None,
    )  # fmt: skip


def _engine(message: engine_service_pb2.Engine) -> EngineState:
    states = engine_service_pb2.InstanceStatus.State
    return EngineState(
        name=message.name.rpartition("/")[2], node=message.node, gpus=tuple(message.gpu_indices),
        state=engine_service_pb2.Engine.State.Name(message.state).removeprefix("STATE_").lower(),
        seen_s=message.update_time.ToNanoseconds() / 1e9,
        instances={
            one.instance_id: states.Name(one.state).removeprefix("STATE_").lower()
            for one in message.instances
        },
        restarts={one.instance_id: one.restart_count for one in message.instances},
        labels=dict(message.labels),
    )  # fmt: skip


def _load(message: load_pb2.WorkloadLoad) -> Load:
    def histogram(name: str) -> LatencyHistogram | None:
        if not message.HasField(name):
            return None
        found = getattr(message, name)
        return LatencyHistogram(tuple(found.upper_bounds_ms), tuple(found.counts))

    return Load(
        workload=message.workload, end_s=message.end_time.ToNanoseconds() / 1e9,
        rate_per_s=message.rate_per_second, instance_count=message.instance_count,
        cold_count=message.cold_sample_count, ttft=histogram("ttft"), tpot=histogram("tpot"),
    )  # fmt: skip
