"""`fulcrum.v1.PlanningService`."""
# ruff: noqa: N802 - the names of the RPCs

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import grpc.aio

from planner.service.async_store import AsyncStore
from planner.service.convert import STATES, operation_message, plan_message, progress_message
from planner.service.create_request import (
    PlanLimits,
    check_document,
    options_of,
    request_digest,
    request_id_of,
)
from planner.service.diff import diff_message
from planner.service.dispatcher import Dispatcher
from planner.service.errors import StatusError, invalid_argument, not_found, quota_exceeded
from planner.service.finished import FinishedPlans
from planner.service.hub import Hub
from planner.service.identity import current_tenant
from planner.service.names import parse_plan, plan_name
from planner.service.own_profiles import OwnProfiles, profile_changed
from planner.service.paging import decode_token, encode_token, page_limit
from planner.service.protos import operations_pb2, plan_pb2, planning_service_pb2, planning_service_pb2_grpc
from planner.service.questions import Questions
from planner.service.tracing import NO_TRACING, Tracing
from planner.store.plan_profiles import ProfileGone
from planner.store.plans import PlanStore, QueueFull, RequestIdReused
from planner.store.records import NewPlan, PlanRecord, PlanState

__all__ = ["PlanningService"]

_STATE_OF_MESSAGE = {number: state for state, number in STATES.items()}
_Context = grpc.aio.ServicerContext[Any, Any]


class PlanningService(planning_service_pb2_grpc.PlanningServiceServicer):
    """Answers from the store; the dispatcher does the work.

    Parameters
    ----------
    heartbeat_s
        How long a watch may be silent.
    poll_s
        How often a watch looks into the store for what another server did.
    """

    def __init__(
        self,
        store: AsyncStore,
        profiles: OwnProfiles,
        dispatcher: Dispatcher,
        hub: Hub,
        questions: Questions,
        limits: PlanLimits,
        *,
        tracing: Tracing = NO_TRACING,
        heartbeat_s: float = 10.0,
        poll_s: float = 2.0,
    ) -> None:
        self._store = store
        self._profiles = profiles
        self._dispatcher = dispatcher
        self._hub = hub
        self._questions = questions
        self._tracing = tracing
        self._limits = limits
        self._finished = FinishedPlans()
        self._filling: dict[str, asyncio.Lock] = {}
        self._heartbeat_s = heartbeat_s
        self._poll_s = poll_s

    async def CreatePlan(self, request: planning_service_pb2.CreatePlanRequest, context: _Context) -> Any:
        """Check the request, store it durably, answer.

        One that was stored before is answered as it was then, whatever has become of its profiles and its
        deadline.
        """
        request_id, digest, tenant = request_id_of(request), request_digest(request), current_tenant()
        if request_id is not None and not request.validate_only:
            try:
                known = await self._store.read(PlanStore.requested, tenant, request_id, digest)
            except RequestIdReused:
                raise _request_id_reused() from None
            if known is not None:
                return operation_message(known, None)
        check_document(request.document, self._limits, "a fleet document")
        options = options_of(request.options, self._limits)
        current_json = await self._current(request)
        read = await self._profiles.read(tenant, request.document, current_json)
        if request.validate_only:
            return operations_pb2.Operation(done=True)
        new = NewPlan(
            tenant=tenant,
            fleet=read.fleet,
            document=request.document,
            options=replace(options, trace_parent=self._tracing.parent()),
            current_json=current_json,
            request_id=request_id,
            request_digest=digest,
            profiles=read.profiles,
        )
        try:
            record, _ = await self._store.write(PlanStore.add, new, most_waiting=self._limits.waiting_count)
        except RequestIdReused:
            raise _request_id_reused() from None
        except ProfileGone:
            raise profile_changed() from None
        except QueueFull as full:
            raise quota_exceeded(
                new.tenant, f"has {full.limit} unfinished plans, this server's limit for a tenant"
            ) from None
        self._dispatcher.wake()
        return operation_message(record, None)

    async def GetPlan(self, request: planning_service_pb2.GetPlanRequest, context: _Context) -> plan_pb2.Plan:
        """One plan."""
        plan_id = parse_plan(request.name)
        tenant = current_tenant()
        full = request.view != planning_service_pb2.PLAN_VIEW_BASIC
        if full and (kept := self._finished.get(tenant, plan_id)) is not None:
            return kept
        record = await self._find(request.name)
        return await self._full(record) if full else plan_message(record, full=False)

    async def ListPlans(
        self, request: planning_service_pb2.ListPlansRequest, context: _Context
    ) -> planning_service_pb2.ListPlansResponse:
        """One page of plans."""
        limit = page_limit(request.page_size)
        states = []
        for i, number in enumerate(request.states):
            if number not in _STATE_OF_MESSAGE:
                raise invalid_argument(f"states[{i}]", f"{number} is not a state of a plan")
            states.append(_STATE_OF_MESSAGE[number])
        query = f"plans {sorted(states)} {request.fleet!r}"
        before = decode_token(request.page_token, query)
        tenant = current_tenant()
        full = request.view == planning_service_pb2.PLAN_VIEW_FULL

        def read(store: PlanStore) -> tuple[list[plan_pb2.Plan], tuple[int, str] | None]:
            records = store.page(
                tenant=tenant, limit=limit + 1, before=before, states=states, fleet=request.fleet or None
            )
            last = (records[limit - 1].create_us, records[limit - 1].id) if len(records) > limit else None
            return [plan_message(record, full=full) for record in records[:limit]], last

        plans, last = await self._store.read(read)
        response = planning_service_pb2.ListPlansResponse(plans=plans)
        if last is not None:
            response.next_page_token = encode_token(last, query)
        return response

    async def DiffPlans(
        self, request: planning_service_pb2.DiffPlansRequest, context: _Context
    ) -> planning_service_pb2.DiffPlansResponse:
        """What changes from one plan to another."""
        base = await self._runnable(request.base, "base")
        target = await self._runnable(request.target, "target")
        return await asyncio.to_thread(diff_message, base, target)

    async def ExplainPlan(
        self, request: planning_service_pb2.ExplainPlanRequest, context: _Context
    ) -> AsyncIterator[planning_service_pb2.ExplainPlanResponse]:
        """Why a plan is as it is."""
        record = await self._find(request.name)
        async with contextlib.aclosing(self._questions.explain(record, request, context)) as responses:
            async for response in responses:
                yield response

    async def WhatIf(
        self, request: planning_service_pb2.WhatIfRequest, context: _Context
    ) -> AsyncIterator[planning_service_pb2.WhatIfResponse]:
        """A fleet as it is and as it would be."""
        record = await self._find(request.plan, "plan") if request.WhichOneof("subject") == "plan" else None
        async with contextlib.aclosing(self._questions.what_if(record, request, context)) as responses:
            async for response in responses:
                yield response

    async def WatchPlan(
        self, request: planning_service_pb2.WatchPlanRequest, context: _Context
    ) -> AsyncIterator[planning_service_pb2.WatchPlanResponse]:
        """The plan as it is, then each event once and in order, then the finished plan."""
        if request.after_sequence < 0:
            raise invalid_argument("after_sequence", f"{request.after_sequence} is negative")
        sequence = request.after_sequence
        loop = asyncio.get_running_loop()
        with self._hub.subscribe(parse_plan(request.name)) as changed:
            record = await self._find(request.name)
            yield planning_service_pb2.WatchPlanResponse(plan=plan_message(record, full=False))
            last_sent = loop.time()
            while True:
                for event in await self._events(record, sequence):
                    yield planning_service_pb2.WatchPlanResponse(progress=progress_message(event))
                    sequence, last_sent = event.sequence, loop.time()
                if record.state.terminal:
                    plan = await self._full(record)
                    yield planning_service_pb2.WatchPlanResponse(plan=plan)
                    return
                happened = await changed.wait(min(self._poll_s, self._heartbeat_s))
                if changed.row_changed or not happened:
                    changed.row_changed = False
                    # Before its events: what is terminal in the row has all its events stored.
                    record = await self._find(request.name)
                if loop.time() - last_sent >= self._heartbeat_s:
                    heartbeat = planning_service_pb2.WatchPlanResponse.Heartbeat()
                    yield planning_service_pb2.WatchPlanResponse(heartbeat=heartbeat)
                    last_sent = loop.time()

    async def _events(self, record: PlanRecord, sequence: int) -> list[Any]:
        recent = self._hub.recent(record.id, sequence)
        if recent is not None:
            return recent
        events = []
        while page := await self._store.read(PlanStore.events, record.id, after_sequence=sequence):
            events += page
            sequence = page[-1].sequence
        return events

    async def _full(self, record: PlanRecord) -> plan_pb2.Plan:
        """The plan with all it has, made in a thread, since a large one takes a while; once if finished."""
        if not record.state.terminal:
            return await asyncio.to_thread(plan_message, record, full=True)
        try:
            async with self._filling.setdefault(record.id, asyncio.Lock()):
                message = self._finished.get(record.tenant, record.id)
                if message is None:
                    message = await asyncio.to_thread(plan_message, record, full=True)
                    self._finished.put(record.tenant, record.id, message)
        finally:
            self._filling.pop(record.id, None)
        return message

    async def _find(self, name: str, field: str = "name") -> PlanRecord:
        plan_id = parse_plan(name, field)
        record = await self._store.read(PlanStore.get, plan_id, tenant=current_tenant())
        if record is None:
            raise not_found("fulcrum.dev/Plan", plan_name(plan_id))
        return record

    async def _current(self, request: planning_service_pb2.CreatePlanRequest) -> str | None:
        """The current plan in canonical JSON, or None."""
        which = request.WhichOneof("current")
        if which == "current_plan_json":
            return str(request.current_plan_json)
        if which is None:
            return None
        return await self._runnable(request.current_plan, "current_plan")

    async def _runnable(self, name: str, field: str) -> str:
        """Canonical JSON of a plan that has instances."""
        record = await self._find(name, field)
        if record.result_json is None or record.state is PlanState.INFEASIBLE:
            raise invalid_argument(field, f"{name} has no instances: it is {record.state}")
        return record.result_json


def _request_id_reused() -> StatusError:
    return invalid_argument(
        "request_id", "was used with another request; a new request needs a new id", "REQUEST_ID_REUSED"
    )
