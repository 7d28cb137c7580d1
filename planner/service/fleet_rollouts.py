"""The part of `fulcrum.v1.FleetService` that is about rollouts and load."""
# ruff: noqa: N802 - the names of the RPCs

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from planner.service.convert import timestamp
from planner.service.engine_messages import rollout_message
from planner.service.errors import failure, invalid_argument, not_found
from planner.service.identity import current_tenant
from planner.service.load_reports import histogram_message
from planner.service.names import parse_fleet, parse_rollout
from planner.service.paging import decode_token, encode_token, page_limit
from planner.service.protos import (
    code_pb2,
    fleet_service_pb2,
    fleet_service_pb2_grpc,
    load_pb2,
    rollout_pb2,
)
from planner.service.rollouts import Rollouts, RolloutView
from planner.store.database import Database
from planner.store.fleets import FleetStore
from planner.store.loads import LoadStore, LoadWindow
from planner.store.refusals import RolloutMoved

__all__ = ["FleetRollouts"]

_Context = grpc.aio.ServicerContext[Any, Any]
SHORTEST_STEP_S, LONGEST_STEP_S = 1.0, 86_400.0


class FleetRollouts(fleet_service_pb2_grpc.FleetServiceServicer):
    """What `planner.service.fleets` inherits.

    Parameters
    ----------
    heartbeat_s
        How long a watch may be silent.
    """

    def __init__(self, database: Database, rollouts: Rollouts, *, heartbeat_s: float = 10.0) -> None:
        self._engines = rollouts.engine_store
        self._fleet_store = FleetStore(database)
        self._loads = LoadStore(database)
        self._rollout_store = rollouts.store
        self._rollouts = rollouts
        self._heartbeat_s = heartbeat_s

    async def GetRollout(
        self, request: fleet_service_pb2.GetRolloutRequest, context: _Context
    ) -> rollout_pb2.Rollout:
        """A rollout as it is."""
        fleet, generation = parse_rollout(request.name)
        view = await self._rollouts.view(current_tenant(), fleet, generation)
        if view is None:
            raise not_found("fulcrum.dev/Rollout", request.name)
        return await self._message(view)

    async def WatchRollout(
        self, request: fleet_service_pb2.WatchRolloutRequest, context: _Context
    ) -> AsyncIterator[fleet_service_pb2.WatchRolloutResponse]:
        """The last rollout of a fleet, whenever it changes."""
        tenant, fleet = current_tenant(), parse_fleet(request.parent, "parent")
        await self._must_exist(tenant, fleet, request.parent)
        last: rollout_pb2.Rollout | None = None
        async with contextlib.aclosing(self._rollouts.follow(tenant, fleet, self._heartbeat_s)) as views:
            async for view in views:
                message = None if view is None else await self._message(view)
                if message is None or message == last:
                    heartbeat = fleet_service_pb2.WatchRolloutResponse.Heartbeat()
                    yield fleet_service_pb2.WatchRolloutResponse(heartbeat=heartbeat)
                    continue
                last = message
                yield fleet_service_pb2.WatchRolloutResponse(rollout=message)

    async def StopRollout(
        self, request: fleet_service_pb2.StopRolloutRequest, context: _Context
    ) -> rollout_pb2.Rollout:
        """Begin no more steps."""
        tenant, fleet = current_tenant(), parse_fleet(request.parent, "parent")
        if len(request.reason) > 500:
            raise invalid_argument("reason", f"has {len(request.reason)} characters; at most 500 are kept")
        record = await self._must_exist(tenant, fleet, request.parent)
        if record.lease_holder is not None and record.lease_holder != request.lease_holder:
            raise failure(
                code_pb2.FAILED_PRECONDITION, "LEASED",
                f"{record.lease_holder} holds the lease of {request.parent}", {"holder": record.lease_holder},
            )  # fmt: skip
        try:
            await self._rollouts.write(
                self._rollout_store.stop, tenant, fleet, generation=request.generation,
                reason=request.reason.replace("\0", " ") or "stopped",
            )  # fmt: skip
        except RolloutMoved as moved:
            if not moved.generation:
                raise not_found("fulcrum.dev/Rollout", f"{request.parent}/rollouts/-") from None
            raise failure(
                code_pb2.ABORTED, "GENERATION_MISMATCH",
                f"the last rollout of {request.parent} has the generation {moved.generation}",
            ) from None  # fmt: skip
        self._rollouts.changed(tenant, fleet)
        view = await self._rollouts.view(tenant, fleet)
        assert view is not None
        return await self._message(view)

    async def ListLoad(
        self, request: fleet_service_pb2.ListLoadRequest, context: _Context
    ) -> fleet_service_pb2.ListLoadResponse:
        """One page of what engines reported."""
        tenant, fleet, limit = (
            current_tenant(),
            parse_fleet(request.parent, "parent"),
            page_limit(request.page_size),
        )
        step_us = request.step.seconds * 1_000_000 + request.step.nanos // 1000
        if not SHORTEST_STEP_S * 1e6 <= step_us <= LONGEST_STEP_S * 1e6:
            raise invalid_argument(
                "step", f"{step_us / 1e6:g} s is not between {SHORTEST_STEP_S:g} and {LONGEST_STEP_S:g} s"
            )
        start_us, end_us = _us(request.start_time, "start_time"), _us(request.end_time, "end_time")
        if end_us <= start_us:
            raise invalid_argument("end_time", "is not after start_time")
        query = f"load {fleet} {start_us} {end_us} {step_us}"
        position = decode_token(request.page_token, query)
        await self._must_exist(tenant, fleet, request.parent)
        found, onward = await self._rollouts.read(
            self._loads.windows, tenant, fleet, start_us=start_us if position is None else position[0],
            end_us=end_us, step_us=step_us, limit=limit,
        )  # fmt: skip
        response = fleet_service_pb2.ListLoadResponse(loads=map(_load_message, found))
        if onward is not None:
            response.next_page_token = encode_token((onward, ""), query)
        return response

    async def _message(self, view: RolloutView) -> rollout_pb2.Rollout:
        engines = await self._rollouts.read(self._engines.all, view.record.tenant, view.record.fleet)
        return rollout_message(view, engines)

    async def _must_exist(self, tenant: str, fleet: str, name: str) -> Any:
        record = await self._rollouts.read(self._fleet_store.get, tenant, fleet)
        if record is None:
            raise not_found("fulcrum.dev/Fleet", name)
        return record


def _us(time: Any, field: str) -> int:
    if not 0 <= time.seconds < 2**40:
        raise invalid_argument(field, "is no time")
    return int(time.seconds * 1_000_000 + time.nanos // 1000)


def _load_message(window: LoadWindow) -> load_pb2.WorkloadLoad:
    usage = window.gauge("kv_usage")
    return load_pb2.WorkloadLoad(
        workload=window.workload, end_time=timestamp(window.end_us), rate_per_second=window.rate_per_s,
        running_count=window.gauge("running"), queued_count=window.gauge("queued"),
        kv_usage_ratio=None if usage is None else usage / window.instance_count,
        instance_count=window.instance_count, ttft=histogram_message(window.ttft),
        tpot=histogram_message(window.tpot), cold_sample_count=window.cold_count,
    )  # fmt: skip
