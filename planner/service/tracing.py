"""OpenTelemetry traces: one span for each RPC, and for each plan its time in the queue and its phases.

Off unless an endpoint is given, or the environment names one (``OTEL_EXPORTER_OTLP_ENDPOINT``,
``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT``); the other ``OTEL_…`` variables are the SDK's. A caller's trace goes
on here by the metadata ``traceparent``, and is kept with the plan, so that whichever server makes it goes on
too. Spans hold names of methods, plans and requests, never documents or credentials.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from models.errors import Unavailable
from planner.service.backend import ProgressEvent
from planner.store.records import PlanRecord

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

__all__ = ["NO_TRACING", "CallTrace", "OtelTracing", "PlanTrace", "Tracing", "open_tracing"]

_Metadata = Sequence[tuple[str, str | bytes]] | None
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PREFIX = "fulcrum."


class CallTrace:
    """The trace of one RPC; this one keeps nothing."""

    def set(self, **attributes: str) -> None:
        """Say more about the call."""

    def end(self, code: str) -> None:
        """The call ended with this code."""


class PlanTrace:
    """The trace of one plan being made; this one keeps nothing."""

    def event(self, event: ProgressEvent) -> None:
        """The worker told of progress."""

    def end(self, state: str) -> None:
        """The plan ended in this state, or goes back to the queue."""


class Tracing(Protocol):
    """Where traces go."""

    def call(self, method: str, metadata: _Metadata) -> contextlib.AbstractContextManager[CallTrace]:
        """Trace an RPC for as long as the context is entered."""
        ...

    def parent(self) -> str | None:
        """The W3C ``traceparent`` of the RPC being answered; None where there is none."""
        ...

    def plan(self, record: PlanRecord) -> PlanTrace:
        """Trace the making of a plan that was just claimed."""
        ...

    def close(self) -> None:
        """Hand over what is left."""


class _NoTracing:
    @contextlib.contextmanager
    def call(self, method: str, metadata: _Metadata) -> Iterator[CallTrace]:
        yield CallTrace()

    def parent(self) -> str | None:
        return None

    def plan(self, record: PlanRecord) -> PlanTrace:
        return PlanTrace()

    def close(self) -> None:
        pass


NO_TRACING: Tracing = _NoTracing()


def open_tracing(endpoint: str | None) -> Tracing:
    """Traces to an OTLP collector over gRPC.

    Parameters
    ----------
    endpoint
        URL of the collector, such as ``http://127.0.0.1:4317``; None: what the environment says.

    Raises
    ------
    Unavailable
        An endpoint is named, and OpenTelemetry is not installed.
    """
    if endpoint is None and not any(os.environ.get(name) for name in _ENDPOINTS):
        return NO_TRACING
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise Unavailable(
            f"traces need OpenTelemetry: pip install 'fulcrum-planner[telemetry]' ({error})"
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": "fulcrum"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return OtelTracing(provider)


class OtelTracing:
    """Spans for an OpenTelemetry provider."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("fulcrum")
        self._propagator = TraceContextTextMapPropagator()

    @contextlib.contextmanager
    def call(self, method: str, metadata: _Metadata) -> Iterator[CallTrace]:
        """See `Tracing`."""
        from opentelemetry.trace import SpanKind

        sent = {key: value for key, value in metadata or () if isinstance(value, str)}
        service, _, name = method.strip("/").partition("/")
        with self._tracer.start_as_current_span(
            method.strip("/"),
            context=self._propagator.extract(
                {k: sent[k] for k in ("traceparent", "tracestate") if k in sent}
            ),
            kind=SpanKind.SERVER,
            attributes={"rpc.system": "grpc", "rpc.service": service, "rpc.method": name},
            record_exception=False,  # their texts may hold what was sent
            set_status_on_exception=False,
        ) as span:
            yield _OtelCall(span)

    def parent(self) -> str | None:
        """See `Tracing`."""
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get("traceparent")

    def plan(self, record: PlanRecord) -> PlanTrace:
        """See `Tracing`."""
        return _OtelPlan(self._tracer, self._propagator, record)

    def close(self) -> None:
        """See `Tracing`."""
        self._provider.shutdown()


class _OtelCall(CallTrace):
    def __init__(self, span: Span) -> None:
        self._span = span

    def set(self, **attributes: str) -> None:
        self._span.set_attributes({_PREFIX + name: value for name, value in attributes.items()})

    def end(self, code: str) -> None:
        from opentelemetry.trace import StatusCode

        self._span.set_attribute("rpc.grpc.status", code)
        if code in ("INTERNAL", "UNKNOWN", "UNAVAILABLE"):
            self._span.set_status(StatusCode.ERROR, code)


class _OtelPlan(PlanTrace):
    """A span ``plan`` since it was asked for; in it ``queue`` and ``solve``, in this one a span a phase."""

    def __init__(self, tracer: Any, propagator: Any, record: PlanRecord) -> None:
        parent = propagator.extract({"traceparent": record.options.trace_parent or ""})
        self._tracer = tracer
        attributes = {
            _PREFIX + "plan": f"plans/{record.id}",
            _PREFIX + "attempt": record.attempt_count,
            _PREFIX + "tenant": record.tenant,
        }
        if record.request_id is not None:
            attributes[_PREFIX + "request"] = record.request_id
        queued_ns, now_ns = record.create_us * 1000, time.time_ns()
        self._plan = self._span("plan", parent, queued_ns)
        self._plan.set_attributes(attributes)
        self._span("queue", self._within(self._plan), queued_ns).end(now_ns)
        self._solve = self._span("solve", self._within(self._plan), now_ns)
        self._phase: Any = None
        self._phase_name = ""

    def _span(self, name: str, context: Any, start_ns: int) -> Any:
        return self._tracer.start_span(name, context=context, start_time=start_ns)

    @staticmethod
    def _within(span: Any) -> Any:
        from opentelemetry.trace import set_span_in_context

        return set_span_in_context(span)

    def event(self, event: ProgressEvent) -> None:
        if event.phase == self._phase_name:
            return
        now_ns = time.time_ns()
        if self._phase is not None:
            self._phase.end(now_ns)
        self._phase, self._phase_name = (
            self._span(event.phase, self._within(self._solve), now_ns),
            event.phase,
        )

    def end(self, state: str) -> None:
        from opentelemetry.trace import StatusCode

        now_ns = time.time_ns()
        if self._phase is not None:
            self._phase.end(now_ns)
        self._plan.set_attribute(_PREFIX + "state", state)
        if state == "failed":
            self._plan.set_status(StatusCode.ERROR)
        for span in (self._solve, self._plan):
            span.end(now_ns)
