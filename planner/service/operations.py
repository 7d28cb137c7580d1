"""`google.longrunning.Operations`: the making of plans, as operations."""
# ruff: noqa: N802 - the names of the RPCs

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio
from google.protobuf import empty_pb2

from planner.service.async_store import AsyncStore
from planner.service.convert import operation_message
from planner.service.dispatcher import Dispatcher
from planner.service.errors import failure, invalid_argument, not_found
from planner.service.hub import Hub
from planner.service.identity import current_tenant
from planner.service.names import operation_name, parse_operation
from planner.service.paging import decode_token, encode_token, page_limit
from planner.service.protos import code_pb2, operations_pb2, operations_pb2_grpc
from planner.store.plans import PlanStore
from planner.store.records import PlanRecord

__all__ = ["OperationsService"]

_Context = grpc.aio.ServicerContext[Any, Any]
_MAX_PAGE_SIZE = 100
"""A finished operation holds its whole plan, so a page of them is short."""
_LAST_MARGIN_S = 0.2
"""An answer that is to arrive before the caller's deadline must leave before it."""


class OperationsService(operations_pb2_grpc.OperationsServicer):  # type: ignore[misc]
    """Get, list, cancel and wait. Deleting is not offered: an operation lives as long as its plan."""

    def __init__(
        self,
        store: AsyncStore,
        dispatcher: Dispatcher,
        hub: Hub,
        *,
        max_wait_s: float = 60.0,
        poll_s: float = 2.0,
    ) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._hub = hub
        self._max_wait_s = max_wait_s
        self._poll_s = poll_s

    async def GetOperation(self, request: Any, context: _Context) -> Any:
        """The operation as it is."""
        return await self._message(await self._find(request.name))

    async def ListOperations(self, request: Any, context: _Context) -> Any:
        """Operations, newest first."""
        if request.name not in ("", "operations"):
            raise invalid_argument("name", f"{request.name!r} is not the collection `operations`")
        if request.filter:
            raise invalid_argument(
                "filter", "operations cannot be filtered; ListPlans can by state and fleet"
            )
        limit = min(page_limit(request.page_size), _MAX_PAGE_SIZE)
        before = decode_token(request.page_token, "operations")
        tenant = current_tenant()

        def read(store: PlanStore) -> tuple[list[Any], tuple[int, str] | None]:
            records = store.page(tenant=tenant, limit=limit + 1, before=before)
            last = (records[limit - 1].create_us, records[limit - 1].id) if len(records) > limit else None
            return [
                operation_message(record, store.last_event(record.id)) for record in records[:limit]
            ], last

        operations, last = await self._store.read(read)
        response = operations_pb2.ListOperationsResponse(operations=operations)
        if last is not None:
            response.next_page_token = encode_token(last, "operations")
        return response

    async def CancelOperation(self, request: Any, context: _Context) -> empty_pb2.Empty:
        """Ask for the plan to be cancelled; nothing happens to one that is finished."""
        record = await self._find(request.name)
        await self._store.write(PlanStore.request_cancel, record.id)
        self._dispatcher.cancel(record.id)
        self._hub.publish(record.id)
        return empty_pb2.Empty()

    async def DeleteOperation(self, request: Any, context: _Context) -> empty_pb2.Empty:
        """Not offered."""
        raise failure(
            code_pb2.UNIMPLEMENTED,
            "NOT_OFFERED",
            "operations are not deleted: they live as long as their plan",
        )

    async def WaitOperation(self, request: Any, context: _Context) -> Any:
        """The operation once it is done, or as it is when the wait has been long enough."""
        limit_s = self._max_wait_s
        if request.HasField("timeout"):
            limit_s = min(limit_s, request.timeout.seconds + request.timeout.nanos / 1e9)
        if (remaining_s := context.time_remaining()) is not None:
            limit_s = min(limit_s, remaining_s - _LAST_MARGIN_S)
        loop = asyncio.get_running_loop()
        end = loop.time() + limit_s
        record = await self._find(request.name)
        with self._hub.subscribe(record.id) as changed:
            while not record.state.terminal and (left_s := end - loop.time()) > 0:
                await changed.wait(min(left_s, self._poll_s))
                record = await self._find(request.name)
        return await self._message(record)

    async def _message(self, record: PlanRecord) -> Any:
        return await self._store.read(lambda store: operation_message(record, store.last_event(record.id)))

    async def _find(self, name: str) -> PlanRecord:
        plan_id = parse_operation(name)
        record = await self._store.read(PlanStore.get, plan_id, tenant=current_tenant())
        if record is None:
            raise not_found("google.longrunning/Operation", operation_name(plan_id))
        return record
