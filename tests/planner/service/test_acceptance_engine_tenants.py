"""Who may do what with engines and rollouts: roles, and tenants that never see each other."""

from __future__ import annotations

import hashlib

import grpc
import pytest
from google.protobuf import duration_pb2

from planner.service.protos import (
    engine_service_pb2,
    engine_service_pb2_grpc,
    fleet_service_pb2,
    fleet_service_pb2_grpc,
)

pb, fp = engine_service_pb2, fleet_service_pb2
CALLERS = [("op", "one"), ("engine", "one"), ("view", "one"), ("engine", "two"), ("op", "two")]
ROLES = {"op": "operator", "engine": "engine", "view": "viewer"}
NAME = "fleets/demo/engines/e0"


@pytest.fixture
def guarded(start_server, tmp_path):
    path = tmp_path / "tokens.yaml"
    lines = [
        f"  - {{name: {who}-{tenant}, tenant: {tenant}, role: {ROLES[who]}, "
        f"sha256: {hashlib.sha256(f'{who}-{tenant}'.encode()).hexdigest()}}}\n"
        for who, tenant in CALLERS
    ]
    path.write_text("tokens:\n" + "".join(lines))
    return start_server(tokens=path)


def every_call(server, caller):
    """One call of each method about engines and rollouts, by name."""
    engines = engine_service_pb2_grpc.EngineServiceStub(server.channel)
    fleets = fleet_service_pb2_grpc.FleetServiceStub(server.channel)
    how = {"metadata": (("authorization", f"Bearer {caller}"),), "timeout": 10}
    load = fp.ListLoadRequest(parent="fleets/demo", step=duration_pb2.Duration(seconds=60))
    load.start_time.FromSeconds(1)
    load.end_time.FromSeconds(100)
    return {
        "RegisterEngine": lambda: engines.RegisterEngine(
            pb.RegisterEngineRequest(
                parent="fleets/demo", engine_id="e0", engine=pb.Engine(node="secret/r0/n0")
            ), **how,
        ),
        "GetEngine": lambda: engines.GetEngine(pb.GetEngineRequest(name=NAME), **how),
        "ListEngines": lambda: engines.ListEngines(pb.ListEnginesRequest(parent="fleets/demo"), **how),
        "WatchAssignment": lambda: next(engines.WatchAssignment(pb.WatchAssignmentRequest(name=NAME), **how)),
        "AcknowledgeStep": lambda: engines.AcknowledgeStep(
            pb.AcknowledgeStepRequest(name=NAME, generation=1, outcome=2), **how
        ),
        "ReportLoad": lambda: engines.ReportLoad(pb.ReportLoadRequest(name=NAME), **how),
        "GetRollout": lambda: fleets.GetRollout(fp.GetRolloutRequest(name="fleets/demo/rollouts/-"), **how),
        "WatchRollout": lambda: next(
            fleets.WatchRollout(fp.WatchRolloutRequest(parent="fleets/demo"), **how)
        ),
        "StopRollout": lambda: fleets.StopRollout(fp.StopRolloutRequest(parent="fleets/demo"), **how),
        "ListLoad": lambda: fleets.ListLoad(load, **how),
    }  # fmt: skip


def codes(server, caller):
    found, texts = {}, []
    for name, call in every_call(server, caller).items():
        try:
            call()
            found[name] = "OK"
        except grpc.RpcError as error:
            found[name] = error.code().name
            texts.append(error.details())
    assert not [text for text in texts if "secret" in text]
    return found


@pytest.fixture
def registered(guarded):
    fleets = fleet_service_pb2_grpc.FleetServiceStub(guarded.channel)
    fleets.RegisterFleet(
        fp.RegisterFleetRequest(document="fleet: demo"), timeout=10,
        metadata=(("authorization", "Bearer op-one"),),
    )  # fmt: skip
    every_call(guarded, "engine-one")["RegisterEngine"]()
    return guarded


def test_an_engine_does_what_engines_do_and_nothing_else(registered) -> None:
    may = {"RegisterEngine", "WatchAssignment", "AcknowledgeStep", "ReportLoad"}

    found = codes(registered, "engine-one")

    assert {name for name, code in found.items() if code != "PERMISSION_DENIED"} == may
    assert found["AcknowledgeStep"] == "FAILED_PRECONDITION"  # nothing is promoted


def test_a_viewer_looks_on(registered) -> None:
    found = codes(registered, "view-one")

    refused = {name for name, code in found.items() if code == "PERMISSION_DENIED"}
    assert refused == {"RegisterEngine", "WatchAssignment", "AcknowledgeStep", "ReportLoad", "StopRollout"}
    assert found["ListEngines"] == "OK"


def test_another_tenant_finds_nothing(registered) -> None:
    for caller in ("engine-two", "op-two"):
        found = codes(registered, caller)
        listed = found.pop("ListEngines")
        assert listed in ("OK", "PERMISSION_DENIED")
        assert set(found.values()) <= {"NOT_FOUND", "PERMISSION_DENIED"}, found
    assert not every_call(registered, "op-two")["ListEngines"]().engines
    assert [e.name for e in every_call(registered, "op-one")["ListEngines"]().engines] == [NAME]
