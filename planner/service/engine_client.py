"""The engine's side of a server: what ``fulcrum agent`` uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf import duration_pb2

from planner.rollout import Outcome
from planner.service.channel import open_channel
from planner.service.client_errors import error_of
from planner.service.protos import engine_service_pb2, load_pb2
from planner.service.protos import engine_service_pb2_grpc as engine_grpc

__all__ = ["EngineClient", "StepRefused", "Watch"]

_CALL_S = 15.0
_NEVER = (
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
)


class StepRefused(Exception):
    """The server does not believe an acknowledgement, and never will."""


class Watch:
    """A stream of assignments; iterating gives each, and None for a sign of life.

    Raises, while iterating, what `planner.service.client_errors.error_of` makes of a lost connection.
    """

    def __init__(self, stream: Any, address: str) -> None:
        self._stream = stream
        self._address = address

    def __iter__(self) -> Iterator[engine_service_pb2.Assignment | None]:
        try:
            for response in self._stream:
                yield response.assignment if response.WhichOneof("event") == "assignment" else None
        except grpc.RpcError as error:
            raise error_of(error, source=None, address=self._address) from None

    def cancel(self) -> None:
        """End the stream; from any thread."""
        self._stream.cancel()


class EngineClient:
    """One server; a context manager. Errors are those of `planner.service.client_errors`.

    Parameters
    ----------
    address
        ``HOST:PORT``.
    authorities
        PEM file of the authorities that sign the server; with it, or with a token, the connection is TLS.
    token
        Bearer token with the role engine; None for servers that ask for none.
    """

    def __init__(self, address: str, *, authorities: Path | None = None, token: str | None = None) -> None:
        self.address = address
        self._channel = open_channel(address, authorities=authorities, token=token)
        self._engines = engine_grpc.EngineServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def register(
        self, fleet: str, engine_id: str, *, node: str, gpus: Sequence[int] = (), address: str = "",
        kind: str = "", version: str = "", capabilities: Sequence[str] = (),
        labels: Mapping[str, str] | None = None, lease_s: float = 30.0,
    ) -> str:  # fmt: skip
        """Register an engine, or say again what it is; returns its resource name."""
        request = engine_service_pb2.RegisterEngineRequest(
            parent=f"fleets/{fleet}",
            engine_id=engine_id,
            engine=engine_service_pb2.Engine(
                node=node, gpu_indices=gpus, address=address, kind=kind, version=version,
                capabilities=capabilities, labels=labels or {},
            ),
            lease_duration=duration_pb2.Duration(
                seconds=int(lease_s), nanos=round(lease_s % 1 * 1e9) // 1000 * 1000
            ),
        )  # fmt: skip
        return str(self._call(self._engines.RegisterEngine, request).name)

    def watch(self, engine: str, resume_token: str = "") -> Watch:
        """Follow what an engine, by resource name, is to run."""
        request = engine_service_pb2.WatchAssignmentRequest(name=engine, resume_token=resume_token)
        return Watch(self._engines.WatchAssignment(request), self.address)

    def acknowledge(
        self, engine: str, generation: int, step: int, outcome: Outcome, reason: str = ""
    ) -> None:
        """Say how far an engine is with a step; StepRefused where it is not believed."""
        request = engine_service_pb2.AcknowledgeStepRequest(
            name=engine, generation=generation, step_index=step, outcome=f"OUTCOME_{outcome.upper()}",
            reason=reason[:500],
        )  # fmt: skip
        try:
            self._engines.AcknowledgeStep(request, timeout=_CALL_S)
        except grpc.RpcError as error:
            if error.code() in _NEVER:
                raise StepRefused(error.details()) from None
            raise error_of(error, source=None, address=self.address) from None

    def report(
        self, engine: str, samples: Sequence[load_pb2.LoadSample] = (),
        instances: Sequence[engine_service_pb2.InstanceStatus] | None = None,
    ) -> tuple[str, ...]:  # fmt: skip
        """Report measurements and the state of all instances (None: not said); returns what was discarded."""
        request = engine_service_pb2.ReportLoadRequest(
            name=engine, samples=samples, instances=instances or (), instances_reported=instances is not None
        )
        return tuple(self._call(self._engines.ReportLoad, request).discarded)

    def delete(self, engine: str) -> None:
        """Say that nothing runs there any more."""
        self._call(self._engines.DeleteEngine, engine_service_pb2.DeleteEngineRequest(name=engine))

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        try:
            return method(request, timeout=_CALL_S)
        except grpc.RpcError as error:
            raise error_of(error, source=None, address=self.address) from None
