"""`fulcrum.v1.EngineService`."""
# ruff: noqa: N802 - the names of the RPCs

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc.aio
from google.protobuf import empty_pb2, json_format

from planner.rollout import Outcome
from planner.service.convert import timestamp
from planner.service.engine_messages import assignment_message, engine_gpus, engine_message
from planner.service.errors import failure, invalid_argument, not_found
from planner.service.identity import current_tenant
from planner.service.load_reports import read_samples
from planner.service.names import ENGINE_ID, parse_engine, parse_fleet
from planner.service.paging import decode_token, encode_token, page_limit
from planner.service.protos import code_pb2, engine_service_pb2, engine_service_pb2_grpc
from planner.service.rollouts import Rollouts
from planner.store.database import Database
from planner.store.loads import LoadStore
from planner.store.records import EngineRecord
from planner.store.refusals import AcknowledgementRefused, NoSuchEngine, RegistrationRefused

__all__ = ["EngineService"]

_Context = grpc.aio.ServicerContext[Any, Any]
SHORTEST_LEASE_S, USUAL_LEASE_S, LONGEST_LEASE_S = 2.0, 30.0, 600.0
_TEXT, _ENTRIES, _GPUS = 255, 64, 64
_OUTCOMES: dict[int, Outcome] = {
    engine_service_pb2.AcknowledgeStepRequest.OUTCOME_STARTED: "started",
    engine_service_pb2.AcknowledgeStepRequest.OUTCOME_DONE: "done",
    engine_service_pb2.AcknowledgeStepRequest.OUTCOME_FAILED: "failed",
}
_STATES = engine_service_pb2.InstanceStatus.State


class EngineService(engine_service_pb2_grpc.EngineServiceServicer):
    """Engines of all fleets.

    Parameters
    ----------
    heartbeat_s
        How long a watch may be silent.
    """

    def __init__(self, database: Database, rollouts: Rollouts, *, heartbeat_s: float = 10.0) -> None:
        self._engines = rollouts.engine_store
        self._acknowledged = rollouts.store
        self._loads = LoadStore(database)
        self._rollouts = rollouts
        self._heartbeat_s = heartbeat_s

    async def RegisterEngine(
        self, request: engine_service_pb2.RegisterEngineRequest, context: _Context
    ) -> engine_service_pb2.Engine:
        """Store what an engine says of itself."""
        tenant, fleet, engine = current_tenant(), parse_fleet(request.parent, "parent"), request.engine
        if not ENGINE_ID.fullmatch(request.engine_id):
            raise invalid_argument("engine_id", f"{request.engine_id[:80]!r} is not an id of an engine")
        lease_s = USUAL_LEASE_S
        if request.HasField("lease_duration"):
            lease_s = request.lease_duration.seconds + request.lease_duration.nanos / 1e9
        if not SHORTEST_LEASE_S <= lease_s <= LONGEST_LEASE_S:
            raise invalid_argument(
                "lease_duration",
                f"{lease_s:g} s is not between {SHORTEST_LEASE_S:g} and {LONGEST_LEASE_S:g} s",
            )
        facts = _facts(engine)
        try:
            record = await self._rollouts.write(
                self._engines.register, tenant, fleet, request.engine_id, node=engine.node,
                gpus=facts["gpu_indices"], facts_json=json.dumps(facts, sort_keys=True),
                lease_us=round(lease_s * 1e6),
            )  # fmt: skip
        except NoSuchEngine:
            raise not_found("fulcrum.dev/Fleet", request.parent) from None
        except RegistrationRefused as refused:
            raise failure(code_pb2.FAILED_PRECONDITION, refused.reason, str(refused)) from None
        self._rollouts.changed(tenant, fleet)
        return engine_message(record)

    async def GetEngine(
        self, request: engine_service_pb2.GetEngineRequest, context: _Context
    ) -> engine_service_pb2.Engine:
        """One engine."""
        return engine_message(await self._find(request.name))

    async def ListEngines(
        self, request: engine_service_pb2.ListEnginesRequest, context: _Context
    ) -> engine_service_pb2.ListEnginesResponse:
        """One page of engines."""
        fleet, limit = parse_fleet(request.parent, "parent"), page_limit(request.page_size)
        query = f"engines {fleet}"
        after = decode_token(request.page_token, query)
        records = await self._rollouts.read(
            self._engines.page, current_tenant(), fleet, limit=limit + 1, after=after[1] if after else ""
        )
        response = engine_service_pb2.ListEnginesResponse(engines=map(engine_message, records[:limit]))
        if len(records) > limit:
            response.next_page_token = encode_token((0, records[limit - 1].id), query)
        return response

    async def DeleteEngine(
        self, request: engine_service_pb2.DeleteEngineRequest, context: _Context
    ) -> empty_pb2.Empty:
        """Forget an engine."""
        tenant, (fleet, engine) = current_tenant(), parse_engine(request.name)
        await self._rollouts.write(self._engines.delete, tenant, fleet, engine)
        self._rollouts.changed(tenant, fleet)
        return empty_pb2.Empty()

    async def WatchAssignment(
        self, request: engine_service_pb2.WatchAssignmentRequest, context: _Context
    ) -> AsyncIterator[engine_service_pb2.WatchAssignmentResponse]:
        """What is to run there, whenever it changes."""
        record = await self._find(request.name)
        token = request.resume_token
        async with contextlib.aclosing(
            self._rollouts.follow(record.tenant, record.fleet, self._heartbeat_s)
        ) as views:
            async for view in views:
                record = await self._find(request.name)  # it may be on other GPUs by now
                assignment = assignment_message(view, record)
                if assignment.resume_token == token:
                    heartbeat = engine_service_pb2.WatchAssignmentResponse.Heartbeat()
                    yield engine_service_pb2.WatchAssignmentResponse(heartbeat=heartbeat)
                    continue
                token = assignment.resume_token
                yield engine_service_pb2.WatchAssignmentResponse(assignment=assignment)

    async def AcknowledgeStep(
        self, request: engine_service_pb2.AcknowledgeStepRequest, context: _Context
    ) -> engine_service_pb2.AcknowledgeStepResponse:
        """Store how far an engine is with a step."""
        if request.outcome not in _OUTCOMES:
            raise invalid_argument("outcome", f"{request.outcome} is no outcome of a step")
        outcome = _OUTCOMES[request.outcome]
        if len(request.reason) > 500 or (outcome == "failed" and not request.reason):
            raise invalid_argument("reason", "must say in 1 to 500 characters why the step failed")
        record = await self._find(request.name)
        with _refusals(request.name):
            state = await self._rollouts.write(
                self._acknowledged.acknowledge, record.tenant, record.fleet,
                generation=request.generation, step=request.step_index, node=record.node,
                gpus=engine_gpus(record), outcome=outcome, engine=record.id,
                reason=request.reason.replace("\0", " "),
            )  # fmt: skip
        self._rollouts.changed(record.tenant, record.fleet)
        return engine_service_pb2.AcknowledgeStepResponse(rollout_state=f"STATE_{state.name}")

    async def ReportLoad(
        self, request: engine_service_pb2.ReportLoadRequest, context: _Context
    ) -> engine_service_pb2.ReportLoadResponse:
        """Store measurements and the state of instances; renew the lease."""
        tenant, (fleet, engine) = current_tenant(), parse_engine(request.name)
        statuses = _statuses(request)
        view = await self._rollouts.view(tenant, fleet) if request.samples else None
        samples, discarded = read_samples(request, engine, view, self._loads.oldest_us)
        with _refusals(request.name):
            record = await self._rollouts.write(
                self._engines.heard, tenant, fleet, engine, instances_json=statuses
            )
            if samples:
                await self._rollouts.write(self._loads.add, tenant, fleet, samples)
        return engine_service_pb2.ReportLoadResponse(
            lease_expire_time=timestamp(record.seen_us + record.lease_us), discarded=discarded
        )

    async def _find(self, name: str) -> EngineRecord:
        fleet, engine = parse_engine(name)
        record = await self._rollouts.read(self._engines.get, current_tenant(), fleet, engine)
        if record is None:
            raise not_found("fulcrum.dev/Engine", name)
        return record


@contextlib.contextmanager
def _refusals(name: str) -> Iterator[None]:
    """Turn what the store refuses into statuses."""
    try:
        yield
    except NoSuchEngine:
        raise not_found("fulcrum.dev/Engine", name) from None
    except AcknowledgementRefused as refused:
        raise failure(code_pb2.FAILED_PRECONDITION, refused.reason, str(refused)) from None


def _facts(engine: engine_service_pb2.Engine) -> dict[str, Any]:
    """What an engine says of itself, checked."""
    if not 0 < len(engine.node) <= _TEXT or not engine.node.isprintable():
        raise invalid_argument("engine.node", f"is not a name of 1 to {_TEXT} printable characters")
    gpus = sorted(set(engine.gpu_indices))
    if len(gpus) != len(engine.gpu_indices) or len(gpus) > _GPUS or (gpus and gpus[0] < 0):
        raise invalid_argument("engine.gpu_indices", f"are not up to {_GPUS} different numbers from 0")
    texts = {name: getattr(engine, name) for name in ("address", "kind", "version")}
    lists = {"capabilities": list(engine.capabilities), "labels": dict(engine.labels)}
    for name, text in texts.items():
        if len(text) > _TEXT:
            raise invalid_argument(f"engine.{name}", f"has {len(text)} characters; at most {_TEXT} are kept")
    for name, entries in lists.items():
        words = [*entries, *(entries.values() if isinstance(entries, dict) else ())]
        if len(entries) > _ENTRIES or any(len(word) > _TEXT for word in words):
            raise invalid_argument(
                f"engine.{name}", f"has more than {_ENTRIES} entries, or one above {_TEXT} characters"
            )
    return {"gpu_indices": gpus, **texts, **lists}


def _statuses(request: engine_service_pb2.ReportLoadRequest) -> str | None:
    """The reported instances as text for the store; None where they are not said."""
    if not request.instances_reported:
        return None
    if len(request.instances) > 1000:
        raise invalid_argument("instances", f"{len(request.instances)} instances; at most 1000 are kept")
    for i, one in enumerate(request.instances):
        if len(one.instance_id) > 320 or len(one.message) > 500:
            raise invalid_argument(f"instances[{i}]", "the id or the message is too long")
    return json.dumps(
        [json_format.MessageToDict(one, preserving_proto_field_name=True) for one in request.instances]
    )
