"""Streams that stay open: so many and no more, and never at the expense of other calls."""

from __future__ import annotations

import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from planner.service import server as module
from planner.service.errors import StatusError
from planner.service.gen.fulcrum.v1 import planning_service_pb2
from planner.service.open_streams import OpenStreams


def test_a_tenant_has_its_share_and_what_ends_is_free_again():
    streams = OpenStreams(most=3, most_of_tenant=2)
    with streams.one("a"), streams.one("a"):
        with pytest.raises(StatusError, match="a has 2 open streams"), streams.one("a"):
            pytest.fail("a third")
        with streams.one("b"), pytest.raises(StatusError, match="this server has 3"), streams.one("c"):
            pytest.fail("a fourth")
        with streams.one(""):
            pass
    assert not streams._count_by_tenant


def test_no_number_of_watches_keeps_others_from_being_answered(start_server, monkeypatch):
    monkeypatch.setattr(module, "_MAX_CONCURRENT_RPCS", 8)
    server = start_server()
    operation = server.create("{fleet: demo, pause_s: 600}")
    request = planning_service_pb2.WatchPlanRequest(name=operation.name.replace("operations/", "plans/"))

    def watch():
        stream = server.planning.WatchPlan(request, timeout=60)
        next(stream)
        return stream

    def probe():
        stub = health_pb2_grpc.HealthStub(server.channel)
        stream = stub.Watch(health_pb2.HealthCheckRequest(), timeout=60)
        next(stream)
        return stream

    def refused(open_another) -> bool:
        try:
            open_another()
        except grpc.RpcError as error:
            return error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        return False

    watches = [watch() for _ in range(4)]
    assert refused(watch)
    probes = [probe() for _ in range(2)]
    assert refused(probe)
    assert server.plan(operation).fleet == "demo"

    for stream in (*watches, *probes):
        stream.cancel()
    end_s = time.monotonic() + 20
    while refused(watch) and time.monotonic() < end_s:
        time.sleep(0.01)
    assert time.monotonic() < end_s
