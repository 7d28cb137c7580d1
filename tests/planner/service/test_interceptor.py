"""Streams whose callers leave in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import time
from types import SimpleNamespace

import grpc
import grpc.aio
import pytest

from planner.service.auth import AllowAll
from planner.service.gen.fulcrum.v1 import planning_service_pb2, planning_service_pb2_grpc
from planner.service.hub import Subscription
from planner.service.interceptor import Guard
from planner.service.metrics import Metrics
from planner.service.open_streams import OpenStreams

METHOD = "/fulcrum.v1.EngineService/WatchAssignment"


class Gone:
    """A context whose caller left: what is sent fails as gRPC lets it fail."""

    def __init__(self, error):
        self.error = error
        self.written = 0

    async def write(self, response):
        self.written += 1
        if self.written > 1:
            raise self.error

    async def abort_with_status(self, status):
        raise self.error


@pytest.mark.parametrize("error", [grpc.aio.InternalError("execute_batch"), grpc.aio.UsageError("finished")])
@pytest.mark.parametrize("ends", ["by being left", "by failing"])
def test_a_stream_that_is_left_ends_as_cancelled_without_a_word(error, ends, caplog):
    held = []
    metrics = Metrics()

    async def watch(request, context):
        held.append(request)
        try:
            yield b"one"
            if ends == "by failing":
                raise ValueError("while the caller leaves")
            yield b"two"
            pytest.fail("it went on")
        finally:
            held.clear()

    async def main():
        handler = grpc.unary_stream_rpc_method_handler(watch, request_deserializer=bytes)
        details = SimpleNamespace(method=METHOD, invocation_metadata=())

        async def found(_):
            return handler

        guarded = await Guard(AllowAll(), metrics, OpenStreams(most=1, most_of_tenant=1)).intercept_service(
            found, details
        )
        with pytest.raises(asyncio.CancelledError):
            await guarded.unary_stream(b"", Gone(error))

    with caplog.at_level(logging.DEBUG):
        asyncio.run(main())

    assert not held
    told = [(record.levelname, record.exc_info) for record in caplog.records if METHOD in record.getMessage()]
    assert [level for level, _ in told if level != "INFO"] == (
        ["DEBUG"] if ends == "by being left" else ["ERROR", "DEBUG"]
    )
    counted = {"method": METHOD, "code": "CANCELLED"}
    assert metrics.registry.get_sample_value("fulcrum_rpc_duration_seconds_count", counted) == 1


def _watching() -> int:
    """Subscriptions that somebody holds."""
    gc.collect()
    return sum(type(found) is Subscription for found in gc.get_objects())


def test_watchers_that_leave_while_they_are_told_much_leave_nothing_behind(server, caplog):
    operation = server.create("{fleet: demo, steps: 200, pause_s: 0.002}")
    request = planning_service_pb2.WatchPlanRequest(name=operation.name.replace("operations/", "plans/"))
    for number in range(20):
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(server.address, options) as channel, contextlib.suppress(grpc.RpcError):
            stub = planning_service_pb2_grpc.PlanningServiceStub(channel)
            for count, _ in enumerate(stub.WatchPlan(request, timeout=0.03 + 0.01 * (number % 5))):
                if number % 2 and count > number:
                    break  # the channel closes under the stream
    server.wait(operation)

    end_s = time.monotonic() + 20
    while _watching() and time.monotonic() < end_s:
        time.sleep(0.02)
    assert not _watching()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
