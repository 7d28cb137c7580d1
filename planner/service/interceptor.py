"""Around every RPC: who calls and may they; and one Status for whatever goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc.aio
from google.protobuf.message import DecodeError
from grpc_status import rpc_status

from models.errors import FulcrumError
from planner.service.auth import Authenticator
from planner.service.errors import StatusError, failure, status_of
from planner.service.identity import Role, caller, current_tenant
from planner.service.metrics import Metrics
from planner.service.open_streams import OpenStreams
from planner.service.protos import code_pb2
from planner.service.tracing import NO_TRACING, CallTrace, Tracing

__all__ = ["OPEN_METHODS", "REQUIRED_ROLES", "Guard"]

log = logging.getLogger(__name__)

_Reader = Callable[[Any], Any]

_IDENTIFIERS = {"name": "name", "parent": "name", "plan": "plan", "request_id": "request"}
"""Fields of messages whose values are logged and traced, with the word for them there."""
_PRINTABLE = re.compile(r"[A-Za-z0-9/._-]{1,200}")
_ASSIGNMENT = "/fulcrum.v1.AssignmentService/"
_PLANNING = "/fulcrum.v1.PlanningService/"
_ENGINES = "/fulcrum.v1.EngineService/"
_FLEETS = "/fulcrum.v1.FleetService/"
_PROFILES = "/fulcrum.v1.ProfileService/"
_OPERATIONS = "/google.longrunning.Operations/"
OPEN_METHODS = frozenset({"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"})
"""Answered without credentials: probes have none, and learn only that the server runs."""
REQUIRED_ROLES: Mapping[str, Role] = {
    _ASSIGNMENT + "SolveAssignment": Role.PLANNER,
    _PLANNING + "DiffPlans": Role.VIEWER,
    _PLANNING + "GetPlan": Role.VIEWER,
    _PLANNING + "ListPlans": Role.VIEWER,
    _PLANNING + "WatchPlan": Role.VIEWER,
    _PLANNING + "CreatePlan": Role.PLANNER,
    _PLANNING + "ExplainPlan": Role.PLANNER,
    _PLANNING + "WhatIf": Role.PLANNER,
    _ENGINES + "AcknowledgeStep": Role.ENGINE,
    _ENGINES + "DeleteEngine": Role.ENGINE,
    _ENGINES + "GetEngine": Role.VIEWER,
    _ENGINES + "ListEngines": Role.VIEWER,
    _ENGINES + "RegisterEngine": Role.ENGINE,
    _ENGINES + "ReportLoad": Role.ENGINE,
    _ENGINES + "WatchAssignment": Role.ENGINE,
    _FLEETS + "GetFleet": Role.VIEWER,
    _FLEETS + "GetRollout": Role.VIEWER,
    _FLEETS + "ListFleets": Role.VIEWER,
    _FLEETS + "ListLoad": Role.VIEWER,
    _FLEETS + "ListPromotions": Role.VIEWER,
    _FLEETS + "WatchRollout": Role.VIEWER,
    _PROFILES + "DeleteProfile": Role.OPERATOR,
    _PROFILES + "DownloadProfile": Role.VIEWER,
    _PROFILES + "GetProfile": Role.VIEWER,
    _PROFILES + "ListProfiles": Role.VIEWER,
    _PROFILES + "UploadProfile": Role.OPERATOR,
    _PROFILES + "ValidateProfile": Role.PLANNER,
    _OPERATIONS + "CancelOperation": Role.PLANNER,
    _OPERATIONS + "DeleteOperation": Role.PLANNER,
    _OPERATIONS + "GetOperation": Role.VIEWER,
    _OPERATIONS + "ListOperations": Role.VIEWER,
    _OPERATIONS + "WaitOperation": Role.VIEWER,
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": Role.VIEWER,
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": Role.VIEWER,
}
"""Least role for a method; one that is not here needs an operator."""


class Guard(grpc.aio.ServerInterceptor):
    """Wraps every method of the server.

    Parameters
    ----------
    authenticator
        Tells callers by their metadata.
    metrics
        Counts the calls.
    streams
        Limits those that stay open.
    tracing
        Has a span for each.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        metrics: Metrics,
        streams: OpenStreams,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self._authenticator = authenticator
        self._metrics = metrics
        self._streams = streams
        self._tracing = tracing

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Return the handler of the method, guarded; an unknown method has none."""
        handler: Any = await continuation(handler_call_details)
        if handler is None:
            return None  # grpc answers UNIMPLEMENTED
        details = handler_call_details
        kinds = {
            (False, False): ("unary_unary", grpc.unary_unary_rpc_method_handler),
            (False, True): ("unary_stream", grpc.unary_stream_rpc_method_handler),
            (True, False): ("stream_unary", grpc.stream_unary_rpc_method_handler),
            (True, True): ("stream_stream", grpc.stream_stream_rpc_method_handler),
        }
        attribute, make = kinds[bool(handler.request_streaming), bool(handler.response_streaming)]
        inner = getattr(handler, attribute)
        wrap = self._stream if handler.response_streaming else self._unary
        read = handler.request_deserializer
        # Requests are read in the guard: for callers that may, with an answer that says what is wrong.
        guarded: grpc.RpcMethodHandler[Any, Any] = make(
            wrap(details, inner, partial(_read_each if handler.request_streaming else _read, read)),
            request_deserializer=None,
            response_serializer=handler.response_serializer,
        )
        return guarded

    def _unary(self, details: grpc.HandlerCallDetails, inner: Any, read: _Reader) -> Any:
        async def answer(request: Any, context: Any) -> Any:
            with _observed(details, self._metrics, self._tracing) as call:
                try:
                    self._admit(details)
                    message = call.about(read(request))
                    return call.about(await inner(message, context))
                except Exception as error:  # noqa: BLE001 - every error becomes a Status
                    await call.abort(context, error)

        return answer

    def _stream(self, details: grpc.HandlerCallDetails, inner: Any, read: _Reader) -> Any:
        async def answer(request: Any, context: Any) -> None:
            with _observed(details, self._metrics, self._tracing) as call:
                try:
                    self._admit(details)
                    with self._streams.one(current_tenant()):
                        await self._send_all(inner(call.about(read(request)), context), context, details)
                except Exception as error:  # noqa: BLE001 - every error becomes a Status
                    await call.abort(context, error)

        return answer

    async def _send_all(self, result: Any, context: Any, details: grpc.HandlerCallDetails) -> None:
        if not hasattr(result, "__aiter__"):  # the service writes by itself
            await result
            return
        async with contextlib.aclosing(result):  # what it holds ends with the call
            async for response in result:
                with _caller_may_go(details.method):
                    await context.write(response)

    def _admit(self, details: grpc.HandlerCallDetails) -> None:
        """Set the caller of this RPC, or refuse."""
        if details.method in OPEN_METHODS:
            return
        found = self._authenticator.authenticate(details.invocation_metadata)
        required = REQUIRED_ROLES.get(details.method, Role.OPERATOR)
        if not found.role.includes(required):
            raise failure(
                code_pb2.PERMISSION_DENIED,
                "ROLE_TOO_LOW",
                f"{details.method} needs the role {required}; {found.name} has {found.role}",
                {"required": required.value, "actual": found.role.value},
            )
        caller.set(found)


def _read(read: _Reader, request: Any) -> Any:
    try:
        return read(request)
    except DecodeError as error:
        raise failure(
            code_pb2.INVALID_ARGUMENT, "MALFORMED_MESSAGE", f"not a message of this method: {error}"
        ) from error


async def _read_each(read: _Reader, requests: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _read(read, request)


@dataclass(slots=True)
class _Call:
    """One RPC, for its line in the log and the metrics."""

    method: str
    trace: CallTrace
    code: str = "OK"
    subject: dict[str, str] = field(default_factory=dict)

    def about(self, message: Any) -> Any:
        """Remember the ids of requests and the names of resources in a message, and hand it on."""
        for name, label in _IDENTIFIERS.items():
            value = getattr(message, name, None)
            if isinstance(value, str) and _PRINTABLE.fullmatch(value):
                self.subject[label] = value
        return message

    async def abort(self, context: Any, error: Exception) -> None:
        """End the RPC with the Status of `error`."""
        if isinstance(error, grpc.aio.AbortError):
            raise error
        status = status_of(error)
        self.code = code_pb2.Code.Name(status.code)
        if not isinstance(error, (StatusError, FulcrumError)):
            log.error("%s", self.method, exc_info=error)
        with _caller_may_go(self.method):
            await context.abort_with_status(rpc_status.to_status(status))


@contextlib.contextmanager
def _caller_may_go(method: str) -> Iterator[None]:
    """End the call as one that was cancelled when what is sent here reaches nobody any more.

    gRPC cancels the handler of a caller that it saw leave; one that leaves while a message is on its way it
    tells by an error of its own.
    """
    try:
        yield
    except (grpc.aio.InternalError, grpc.aio.UsageError) as error:
        log.debug("%s: the caller is gone: %s", method, error)
        raise asyncio.CancelledError from error


@contextlib.contextmanager
def _observed(details: grpc.HandlerCallDetails, metrics: Metrics, tracing: Tracing) -> Iterator[_Call]:
    """Count, trace and log an RPC: method, caller, code, time, names and ids; never what else was sent."""
    method = details.method
    start = time.perf_counter()
    with tracing.call(method, details.invocation_metadata) as trace:
        call = _Call(method, trace)
        try:
            yield call
        except asyncio.CancelledError:
            call.code = "CANCELLED"
            raise
        finally:
            seconds = time.perf_counter() - start
            metrics.rpc_ended(method, call.code, seconds)
            who = caller.get()
            trace.set(tenant=who.tenant, **call.subject)
            trace.end(call.code)
            level = logging.DEBUG if method in OPEN_METHODS else logging.INFO
            log.log(
                level, "rpc method=%s caller=%s tenant=%s code=%s ms=%.1f%s",
                method, who.name, who.tenant, call.code, 1e3 * seconds,
                "".join(f" {label}={value}" for label, value in call.subject.items()),
            )  # fmt: skip
