"""Spans of RPCs and plans, in memory and over the wire to a collector."""

from __future__ import annotations

import hashlib
import threading
from concurrent import futures

import grpc
import pytest

from planner.service.tracing import NO_TRACING, open_tracing

pytest.importorskip("opentelemetry.sdk", reason="the extra `telemetry` is not installed")

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01")
SECRET = "a-secret-token"


@pytest.fixture
def exporter():
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    return InMemorySpanExporter()


@pytest.fixture
def traced(start_server, exporter, tmp_path):
    """A server whose spans are kept in memory."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    from planner.service.tracing import OtelTracing

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tokens = tmp_path / "tokens.yaml"
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    tokens.write_text(f"tokens:\n  - {{name: ci, tenant: search, role: operator, sha256: {digest}}}\n")
    return start_server(tracing=OtelTracing(provider), tokens=tokens)


def make_plan(server, document, *metadata):
    from google.longrunning import operations_pb2

    from planner.service.gen.fulcrum.v1 import planning_service_pb2

    who = ("authorization", f"Bearer {SECRET}")
    request = planning_service_pb2.CreatePlanRequest(document=document, request_id="run-1")
    operation = server.planning.CreatePlan(request, metadata=(who, *metadata), timeout=30)
    wait = operations_pb2.WaitOperationRequest(name=operation.name)
    assert server.operations.WaitOperation(wait, metadata=(who,), timeout=30).done
    return operation.name


def test_a_plan_goes_on_in_its_callers_trace(traced, exporter):
    name = make_plan(traced, "{fleet: private-fleet, steps: 2}", PARENT)
    traced.stop()

    mine = [span for span in exporter.get_finished_spans() if f"{span.context.trace_id:032x}" == TRACE]
    spans = {span.name: span for span in mine}
    assert set(spans) == {
        "fulcrum.v1.PlanningService/CreatePlan", "plan", "queue", "solve", "step 0", "step 1",
    }  # fmt: skip
    call, plan = spans["fulcrum.v1.PlanningService/CreatePlan"], spans["plan"]
    assert f"{call.parent.span_id:016x}" == PARENT[1].split("-")[2]
    assert plan.parent.span_id == call.context.span_id
    assert {spans[name].parent.span_id for name in ("queue", "solve")} == {plan.context.span_id}
    assert spans["step 1"].parent.span_id == spans["solve"].context.span_id
    assert spans["queue"].end_time <= spans["solve"].start_time <= spans["step 0"].start_time
    assert call.attributes["fulcrum.name"] == name
    assert call.attributes["rpc.grpc.status"] == "OK"
    assert plan.attributes["fulcrum.plan"] == name.replace("operations/", "plans/")
    assert {call.attributes["fulcrum.request"], plan.attributes["fulcrum.request"]} == {"run-1"}
    assert plan.attributes["fulcrum.state"] == "optimal"


def test_spans_hold_neither_documents_nor_credentials(traced, exporter):
    make_plan(traced, "{fleet: private-fleet, then: surprise}")
    with pytest.raises(grpc.RpcError):
        make_plan(traced, "{fleet: [private-fleet}")
    traced.stop()

    told = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert "rpc.grpc.status" in told
    assert "INVALID_ARGUMENT" in told
    assert not [word for word in (SECRET, "private-fleet", "secret detail") if word in told]


def test_off_unless_an_endpoint_is_named(monkeypatch):
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert open_tracing(None) is NO_TRACING
    assert NO_TRACING.parent() is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    tracing = open_tracing(None)
    assert tracing is not NO_TRACING
    tracing.close()


def test_a_collector_gets_the_spans(start_server):
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

    got, arrived = [], threading.Event()

    class Collector(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(self, request, context):  # noqa: N802 - the name of the RPC
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    got.extend(span.name for span in scope.spans)
            arrived.set()
            return trace_service_pb2.ExportTraceServiceResponse()

    collector = grpc.server(futures.ThreadPoolExecutor(1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Collector(), collector)
    port = collector.add_insecure_port("127.0.0.1:0")
    collector.start()
    server = start_server(otlp_endpoint=f"http://127.0.0.1:{port}")
    server.wait(server.create())
    server.stop()

    assert arrived.wait(10)
    assert {"plan", "queue", "solve", "google.longrunning.Operations/WaitOperation"} <= set(got)
    collector.stop(None)
