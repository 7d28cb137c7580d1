"""One server, as a few methods."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from fulcrum_client.contract import messages

__all__ = ["Client", "is_away"]

_ASSIGNMENT = "/fulcrum.v1.AssignmentService/"
_PLANNING = "/fulcrum.v1.PlanningService/"
_OPERATIONS = "/google.longrunning.Operations/"
_FIRST_TERMINAL_STATE = 3  # Plan.STATE_OPTIMAL; those after it are terminal too
_MAX_MESSAGE_BYTES = 2**30


class Client:
    """Calls a server; a context manager.

    Parameters
    ----------
    address
        ``HOST:PORT``.
    root_certificates
        PEM of the authorities that sign the server; with it, or with a token, the connection is TLS.
    token
        Bearer token.
    certificate, key
        PEM of this client, where the server asks for one.
    patience_s
        How long a server that is away is tried again.
    """

    def __init__(
        self,
        address: str,
        *,
        root_certificates: bytes | None = None,
        token: str | None = None,
        certificate: bytes | None = None,
        key: bytes | None = None,
        patience_s: float = 30.0,
    ) -> None:
        options = [
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.keepalive_time_ms", 20_000),  # a stream to a server that vanished without a word ends
            ("grpc.keepalive_timeout_ms", 10_000),
            ("grpc.max_reconnect_backoff_ms", 10_000),  # to a server that is back after minutes
        ]
        if root_certificates is None and token is None:
            self._channel = grpc.insecure_channel(address, options)
        else:
            credentials = grpc.ssl_channel_credentials(root_certificates, key, certificate)
            if token is not None:
                credentials = grpc.composite_channel_credentials(
                    credentials, grpc.access_token_call_credentials(token)
                )
            self._channel = grpc.secure_channel(address, credentials, options)
        self._patience_s = patience_s
        self._calls: dict[str, Callable[..., Any]] = {}

    def __enter__(self) -> Client:  # noqa: PYI034 - Self is younger than the oldest Python here
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def create_plan(
        self,
        document: str,
        *,
        time_limit_s: float | None = None,
        seed: int = 0,
        thread_count: int = 0,
        current_plan: str | None = None,
        request_id: str | None = None,
        timeout_s: float = 30.0,
    ) -> str:
        """Ask for a plan; returns its resource name, ``plans/…``, at once."""
        request = messages["fulcrum.v1.CreatePlanRequest"](
            document=document, request_id=request_id or str(uuid.uuid4())
        )
        request.options.seed = seed
        request.options.thread_count = thread_count
        if time_limit_s is not None:
            request.options.time_limit.FromNanoseconds(round(time_limit_s * 1e9))
        if current_plan is not None:
            request.current_plan = current_plan
        operation = self.call(_PLANNING + "CreatePlan", request, "google.longrunning.Operation", timeout_s)
        return operation.name.replace("operations/", "plans/", 1)

    def get_plan(self, name: str, *, timeout_s: float = 30.0) -> Any:
        """The plan (``fulcrum.v1.Plan``) as it is."""
        request = messages["fulcrum.v1.GetPlanRequest"](name=name)
        return self.call(_PLANNING + "GetPlan", request, "fulcrum.v1.Plan", timeout_s)

    def list_plans(self, *, fleet: str = "", page_size: int = 0, timeout_s: float = 30.0) -> Iterator[Any]:
        """All plans, newest first, without their instances."""
        request = messages["fulcrum.v1.ListPlansRequest"](fleet=fleet, page_size=page_size)
        while True:
            page = self.call(_PLANNING + "ListPlans", request, "fulcrum.v1.ListPlansResponse", timeout_s)
            yield from page.plans
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def watch_plan(self, name: str, *, after_sequence: int = 0) -> Iterator[Any]:
        """Follow a plan until it is finished, across lost connections.

        Yields ``fulcrum.v1.WatchPlanResponse``; each progress event once, the finished plan last.
        """
        method = self._method(_PLANNING + "WatchPlan", "fulcrum.v1.WatchPlanResponse", stream=True)
        sequence, last_contact, first = after_sequence, time.monotonic(), True
        while True:
            request = messages["fulcrum.v1.WatchPlanRequest"](name=name, after_sequence=sequence)
            try:
                for response in method(request):
                    last_contact = time.monotonic()
                    kind = response.WhichOneof("event")
                    finished = kind == "plan" and response.plan.state >= _FIRST_TERMINAL_STATE
                    # Every stream opens with the plan in short; only the first one is news.
                    if kind != "plan" or first or (finished and response.plan.document):
                        yield response
                    first = False
                    if kind == "progress":
                        sequence = response.progress.sequence
                    if finished and response.plan.document:
                        return
            except grpc.RpcError as error:
                if not is_away(error) or time.monotonic() - last_contact > self._patience_s:
                    raise
            time.sleep(0.2)

    def wait_plan(self, name: str) -> Any:
        """The finished plan."""
        plan = None
        for response in self.watch_plan(name):
            if response.WhichOneof("event") == "plan":
                plan = response.plan
        return plan

    def cancel_plan(self, name: str, *, timeout_s: float = 30.0) -> None:
        """Stop making a plan; it keeps the best found so far."""
        request = messages["google.longrunning.CancelOperationRequest"](
            name=name.replace("plans/", "operations/", 1)
        )
        self.call(_OPERATIONS + "CancelOperation", request, "google.protobuf.Empty", timeout_s)

    def solve_assignment(
        self,
        document: str,
        *,
        time_limit_s: float | None = None,
        seed: int = 0,
        thread_count: int = 0,
        solver: str = "",
        timeout_s: float | None = None,
    ) -> Iterator[Any]:
        """Solve an assignment problem; stop iterating to cancel it.

        Yields ``fulcrum.v1.SolveAssignmentResponse``: progress, the answer last. Not repeated when the
        connection is lost: the server keeps nothing of it.
        """
        request = messages["fulcrum.v1.SolveAssignmentRequest"](document=document)
        request.options.seed = seed
        request.options.thread_count = thread_count
        request.options.solver = solver
        if time_limit_s is not None:
            request.options.time_limit.FromNanoseconds(round(time_limit_s * 1e9))
        method = self._method(
            _ASSIGNMENT + "SolveAssignment", "fulcrum.v1.SolveAssignmentResponse", stream=True
        )
        stream = method(request, timeout=timeout_s)
        try:
            yield from stream
        finally:
            stream.cancel()

    def call(self, path: str, request: Any, response: str, timeout_s: float = 30.0) -> Any:
        """Call a method, such as ``/fulcrum.v1.PlanningService/GetPlan``, again and again while the server is
        away: it must be one that may be repeated. `response` is the full name of its message.
        """
        method = self._method(path, response)
        end, pause_s = time.monotonic() + self._patience_s, 0.1
        while True:
            try:
                return method(request, timeout=timeout_s)
            except grpc.RpcError as error:
                if not is_away(error) or time.monotonic() + pause_s > end:
                    raise
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, 2.0)

    def stream(self, path: str, request: Any, response: str) -> Iterator[Any]:
        """Call a method that answers with a stream, once."""
        return iter(self._method(path, response, stream=True)(request))

    def _method(self, path: str, response: str, *, stream: bool = False) -> Callable[..., Any]:
        if path not in self._calls:
            make = self._channel.unary_stream if stream else self._channel.unary_unary
            self._calls[path] = make(
                path,
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=messages[response].FromString,
            )
        return self._calls[path]


def is_away(error: grpc.RpcError) -> bool:
    """Whether the server is away, or starting: the same call may succeed soon."""
    return bool(error.code() == grpc.StatusCode.UNAVAILABLE)
