"""A plan from a server: what ``fulcrum plan --server`` does.

Survives a server that goes away and comes back: the request carries an id, so that sending it again starts
nothing twice, and the watch resumes after the last event seen.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc

from models.errors import InvalidInput, Unavailable
from planner.options import PlanOptions, Progress
from planner.plan import Plan
from planner.service.channel import open_channel
from planner.service.client_errors import error_of, is_passing, without_lines
from planner.service.client_options import options_message
from planner.service.protos import operations_pb2, operations_pb2_grpc, plan_pb2, planning_service_pb2
from planner.service.protos import planning_service_pb2_grpc as planning_grpc

__all__ = ["PlanClient"]

_Message = plan_pb2.Plan
_CALL_S = 30.0


class PlanClient:
    """One server. A context manager.

    Parameters
    ----------
    address
        ``HOST:PORT``.
    authorities
        PEM file of the authorities that sign the server; with it, or with a token, the connection is TLS.
    token
        Bearer token; None for servers that ask for none.
    patience_s
        How long an unreachable server is tried again.
    """

    def __init__(
        self,
        address: str,
        *,
        authorities: Path | None = None,
        token: str | None = None,
        patience_s: float = 30.0,
    ) -> None:
        self.address = address
        self._patience_s = patience_s
        self._last_contact = time.monotonic()
        self._channel = open_channel(address, authorities=authorities, token=token)
        self._planning = planning_grpc.PlanningServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._operations = operations_pb2_grpc.OperationsStub(self._channel)

    @classmethod
    def from_environment(cls, address: str) -> Self:
        """A client with the authorities in the file ``FULCRUM_TLS_CA`` and the token ``FULCRUM_TOKEN``."""
        authorities = os.environ.get("FULCRUM_TLS_CA")
        return cls(
            address,
            authorities=None if authorities is None else Path(authorities),
            token=os.environ.get("FULCRUM_TOKEN"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def create_plan(
        self,
        document: str,
        *,
        options: PlanOptions | None = None,
        current: Plan | None = None,
        progress: Callable[[Progress], None] | None = None,
        source: str | None = None,
    ) -> Plan:
        """Have a plan made and wait for it; see `make_plan`."""
        return self.make_plan(document, options=options, current=current, progress=progress, source=source)[1]

    def make_plan(
        self,
        document: str,
        *,
        options: PlanOptions | None = None,
        current: Plan | None = None,
        progress: Callable[[Progress], None] | None = None,
        source: str | None = None,
    ) -> tuple[str, Plan]:
        """Have a plan made and wait for it; an interrupt cancels it on the server.

        Returns
        -------
        The resource name of the plan, and the plan.

        Parameters
        ----------
        document
            A fleet document that stands by itself: ``read_fleet_file(path).self_contained``.
        source
            Name of the document, for messages.

        Raises
        ------
        InvalidInput
            The server refuses the document or the options; every violation is in it.
        Unavailable
            The server cannot be reached, or does not know us.
        SolverFailed
            The server could not make the plan.
        """
        request = planning_service_pb2.CreatePlanRequest(
            document=document,
            options=options_message(options or PlanOptions()),
            request_id=str(uuid.uuid4()),
        )
        if current is not None:
            request.current_plan_json = current.to_json()
        try:
            operation = self._patiently(lambda: self._planning.CreatePlan(request, timeout=_CALL_S), source)
        except InvalidInput as error:
            if "\n" in document.strip():
                raise
            raise without_lines(error) from None  # an inlined document is one line, not the author's lines
        name = operation.name.replace("operations/", "plans/", 1)
        try:
            finished = self._follow(name, progress, source)
        except BaseException as error:
            if not isinstance(error, Exception):  # an interrupt: the plan is not wanted any more
                self._operations.CancelOperation(
                    operations_pb2.CancelOperationRequest(name=operation.name), timeout=_CALL_S
                )
            raise
        if finished.state == _Message.STATE_FAILED:
            raise error_of(finished.error, source=source, address=self.address)
        if not finished.canonical_json:
            raise Unavailable(f"{name} was cancelled before there was a plan")
        return name, Plan.from_json(finished.canonical_json, source=f"{self.address} {name}")

    def get_plan(self, name: str) -> Plan:
        """A finished plan by its resource name; raises `InvalidInput` when it has no instances."""
        request = planning_service_pb2.GetPlanRequest(name=name)
        found = self._patiently(lambda: self._planning.GetPlan(request, timeout=_CALL_S), None)
        if not found.canonical_json:
            raise InvalidInput(f"{name} is not finished, or has no plan in it")
        return Plan.from_json(found.canonical_json, source=f"{self.address} {name}")

    def _follow(
        self, name: str, progress: Callable[[Progress], None] | None, source: str | None
    ) -> plan_pb2.Plan:
        """Watch until the plan is finished, across lost connections."""
        seen = 0

        def watch() -> plan_pb2.Plan | None:
            nonlocal seen
            request = planning_service_pb2.WatchPlanRequest(name=name, after_sequence=seen)
            last = None
            for response in self._planning.WatchPlan(request):
                self._last_contact = time.monotonic()
                if response.WhichOneof("event") == "plan":
                    last = response.plan
                elif response.WhichOneof("event") == "progress":
                    seen = response.progress.sequence
                    if progress is not None:
                        progress(_progress(response.progress))
            return last

        while True:
            plan: plan_pb2.Plan | None = self._patiently(watch, source)
            if plan is not None and plan.state >= _Message.STATE_OPTIMAL:
                return plan
            time.sleep(0.1)  # the stream ended early: the server is shutting down; go on where we were

    def _patiently(self, call: Callable[[], Any], source: str | None) -> Any:
        """Call; where the server is away, again until it has been silent for too long."""
        self._last_contact = time.monotonic()
        pause_s = 0.1
        while True:
            try:
                return call()
            except grpc.RpcError as error:
                if (
                    not is_passing(error)
                    or time.monotonic() - self._last_contact + pause_s > self._patience_s
                ):
                    raise error_of(error, source=source, address=self.address) from None
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, 2.0)


def _progress(message: plan_pb2.PlanProgress) -> Progress:
    def number(name: str) -> float | None:
        return float(getattr(message, name)) if message.HasField(name) else None

    return Progress(
        phase=message.phase,
        elapsed_s=message.elapsed.ToNanoseconds() / 1e9,
        objective=number("objective"),
        bound=number("bound"),
        gap=number("relative_gap"),
    )
