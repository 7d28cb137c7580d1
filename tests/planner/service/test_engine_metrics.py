"""What Prometheus is told about engines, after some have reported."""

from __future__ import annotations

import time

import pytest
from google.protobuf import duration_pb2, timestamp_pb2

from planner.service.engine_client import EngineClient
from planner.service.fleet_client import FleetClient
from planner.service.protos import load_pb2


def test_engines_rollouts_age_and_drift(server) -> None:
    registry = server.server.metrics.registry
    with FleetClient(server.address) as fleets, EngineClient(server.address) as client:
        fleets.register("fleet: demo")
        operation = server.create()
        server.wait(operation)
        assert registry.get_sample_value("fulcrum_promoted_plan_age_seconds") is None
        fleets.promote("demo", operation.name.replace("operations/", "plans/"))
        name = client.register("demo", "e0", node="h100/r0/n0")
        end = timestamp_pb2.Timestamp(seconds=int(time.time()))
        client.report(
            name,
            [
                load_pb2.LoadSample(
                    instance_id="chat-mixed-0@1", end_time=end, window=duration_pb2.Duration(seconds=10),
                    request_count=100, ttft=load_pb2.LatencyHistogram(upper_bounds_ms=[820], counts=[100, 0]),
                )
            ],
        )  # fmt: skip
    assert registry.get_sample_value("fulcrum_engines", {"state": "live"}) == 1
    assert registry.get_sample_value("fulcrum_rollouts", {"state": "rolling"}) == 1
    assert 0 <= registry.get_sample_value("fulcrum_promoted_plan_age_seconds") < 60
    # the scripted plan has no workloads, so nobody knows at which percentile it predicts 410 ms
    drift = {"latency": "ttft", "statistic": "max"}
    assert registry.get_sample_value("fulcrum_latency_drift_ratio", drift) is None


@pytest.mark.parametrize(("predicted", "expected"), [(410.0, 0.9), (None, None)])
def test_drift_is_reported_over_predicted(predicted, expected) -> None:
    from planner.latency import LatencyHistogram
    from planner.service.load_reports import _drift

    found = _drift(LatencyHistogram((820.0,), (100, 0)), 95.0, predicted)
    assert found == (None if expected is None else pytest.approx(expected))
    assert _drift(LatencyHistogram((820.0,), (19, 0)), 95.0, predicted) is None  # too few requests
