"""The real planner behind the real server: `fulcrum serve` as a process, the example, a plain client."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.rpc import code_pb2, error_details_pb2
from grpc_status import rpc_status

from planner.fleet import read_fleet_file
from planner.pipeline import create_plan
from planner.plan import Plan
from planner.service.gen.fulcrum.v1 import plan_pb2, planning_service_pb2, planning_service_pb2_grpc

EXAMPLE = Path(__file__).parents[3] / "examples" / "fleet.yaml"


@pytest.fixture
def serve(tmp_path):
    """Start ``fulcrum serve`` on one port and one store; returns (process, channel)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    started = []

    def start():
        command = [sys.executable, "-c", "from planner.cli import main; main()", "serve"]
        process = subprocess.Popen([*command, "--listen", address, "--store", str(tmp_path / "plans.sqlite")])
        channel = grpc.insecure_channel(address)
        started.append((process, channel))
        grpc.channel_ready_future(channel).result(60)
        return process, channel

    yield start
    for process, channel in started:
        channel.close()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@pytest.mark.slow
def test_the_example_fleet_is_planned_kept_and_equal_to_a_local_plan(serve):
    document = read_fleet_file(EXAMPLE).self_contained
    process, channel = serve()
    planning = planning_service_pb2_grpc.PlanningServiceStub(channel)
    operations = operations_pb2_grpc.OperationsStub(channel)

    operation = planning.CreatePlan(planning_service_pb2.CreatePlanRequest(document=document), timeout=60)
    while not operation.done:
        operation = operations.WaitOperation(
            operations_pb2.WaitOperationRequest(name=operation.name), timeout=60
        )
    made = plan_pb2.Plan()
    assert operation.response.Unpack(made)
    channel.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0

    _, channel = serve()
    planning = planning_service_pb2_grpc.PlanningServiceStub(channel)
    kept = planning.GetPlan(planning_service_pb2.GetPlanRequest(name=made.name), timeout=30)

    assert kept == made
    local = create_plan(EXAMPLE.read_text(), base_dir=EXAMPLE.parent)
    assert kept.canonical_json == local.to_json()
    assert kept.fleet == "demo"
    assert kept.state == plan_pb2.Plan.STATE_OPTIMAL
    assert kept.price_per_hour == pytest.approx(local.cost_per_hour)
    assert [instance.name for instance in kept.instances] == [instance.name for instance in local.instances]
    for instance in kept.instances:
        assert [launch.command[0] for launch in instance.launches] == ["vllm"] * len(
            {stage.node for stage in instance.stages}
        )
        assert sum(len(stage.gpu_indices) for stage in instance.stages) == (
            instance.parallelism.tensor_parallel_size * instance.parallelism.pipeline_parallel_size
        )
    assert Plan.from_json(kept.canonical_json) == Plan.from_json(local.to_json())


def test_a_path_in_a_request_is_never_opened(serve):
    _, channel = serve()
    planning = planning_service_pb2_grpc.PlanningServiceStub(channel)
    request = planning_service_pb2.CreatePlanRequest(document=EXAMPLE.read_text())

    with pytest.raises(grpc.RpcError) as refused:
        planning.CreatePlan(request, timeout=60)

    status = rpc_status.from_call(refused.value)
    bad = error_details_pb2.BadRequest()
    assert status.code == code_pb2.INVALID_ARGUMENT
    assert [detail.Unpack(bad) for detail in status.details].count(True) == 1
    assert [violation.field for violation in bad.field_violations] == [
        "document.workloads[0].lengths",
        "document.workloads[1].lengths",
    ]
