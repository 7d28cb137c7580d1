"""Kill -9 at any time: nothing acknowledged is lost, nothing finished changes, nothing is left running.

``FULCRUM_KILL_ROUNDS`` sets how often the server is killed, ``FULCRUM_KILL_STORE`` the database, which must
be empty.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc

from planner.service.gen.fulcrum.v1 import planning_service_pb2, planning_service_pb2_grpc
from planner.service.gen.fulcrum.v1.plan_pb2 import Plan

ROUNDS = int(os.environ.get("FULCRUM_KILL_ROUNDS", "2"))

SERVE = """
import asyncio, logging, sys
from planner.service.server import ServerConfig, run_server
logging.basicConfig(level="INFO")
asyncio.run(run_server(ServerConfig(
    listen=sys.argv[1], store=sys.argv[2], backend="scripted_backend:ScriptedBackend", worker_count=2,
    lease_s=0.5, grace_s=0.2, max_attempts=10**6,
)))
"""

pytestmark = [
    pytest.mark.usefixtures("_scripted"),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc"),
]


class ServerProcess:
    """A server in a process of its own, on a port that stays the same."""

    def __init__(self, folder) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.store = os.environ.get("FULCRUM_KILL_STORE", folder / "plans.sqlite")
        self.log = folder / "log.txt"
        self.process = None

    def start(self) -> None:
        with self.log.open("a") as log:
            command = [sys.executable, "-c", SERVE, self.address, str(self.store)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)

    def workers(self) -> list[int]:
        """Process ids of this server's children."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    @contextlib.contextmanager
    def stubs(self):
        # A channel that has seen its server die backs off for seconds; each life gets a new one.
        with grpc.insecure_channel(self.address) as channel:
            grpc.channel_ready_future(channel).result(30)
            yield (
                planning_service_pb2_grpc.PlanningServiceStub(channel),
                operations_pb2_grpc.OperationsStub(channel),
            )


@pytest.fixture
def server(tmp_path):
    process = ServerProcess(tmp_path)
    process.start()
    yield process
    if process.process.poll() is None:
        process.end(signal.SIGTERM)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_server_loses_nothing_it_acknowledged(server):
    random_source = random.Random(7)
    acknowledged: list[str] = []
    finished: dict[str, bytes] = {}

    for round_number in range(ROUNDS):
        with server.stubs() as (planning, operations):
            kill_at = time.monotonic() + random_source.uniform(0.05, 0.6)
            while time.monotonic() < kill_at:
                request = planning_service_pb2.CreatePlanRequest(
                    document=f"{{fleet: f{len(acknowledged)}, steps: 3, pause_s: 0.02}}",
                    request_id=f"request-{round_number}-{len(acknowledged)}",
                )
                acknowledged.append(planning.CreatePlan(request, timeout=30).name)
                name = random_source.choice(acknowledged).replace("operations/", "plans/")
                plan = planning.GetPlan(planning_service_pb2.GetPlanRequest(name=name), timeout=30)
                if plan.state >= Plan.STATE_OPTIMAL:
                    finished[name] = plan.SerializeToString(deterministic=True)
            workers = server.workers()
            server.end(signal.SIGKILL)
        end = time.monotonic() + 5
        while any(alive(pid) for pid in workers) and time.monotonic() < end:
            time.sleep(0.01)
        assert not [pid for pid in workers if alive(pid)], "a worker outlived its server"
        server.start()

    with server.stubs() as (planning, operations):
        for name in acknowledged:
            end = time.monotonic() + 60
            operation = operations.GetOperation(operations_pb2.GetOperationRequest(name=name), timeout=30)
            while not operation.done and time.monotonic() < end:
                operation = operations.WaitOperation(
                    operations_pb2.WaitOperationRequest(name=name), timeout=10
                )
            plan = Plan()
            assert operation.response.Unpack(plan), operation
            assert plan.state == Plan.STATE_OPTIMAL
            assert plan.fleet == f"f{acknowledged.index(name)}"
        for name, before in finished.items():
            plan = planning.GetPlan(planning_service_pb2.GetPlanRequest(name=name), timeout=30)
            assert plan.SerializeToString(deterministic=True) == before
    assert acknowledged


def test_a_killed_worker_fails_its_plan_visibly(server):
    with server.stubs() as (planning, operations):
        request = planning_service_pb2.CreatePlanRequest(document="{fleet: demo, pause_s: 600}")
        name = planning.CreatePlan(request, timeout=30).name
        get = planning_service_pb2.GetPlanRequest(name=name.replace("operations/", "plans/"))
        while planning.GetPlan(get, timeout=10).state != Plan.STATE_RUNNING:
            time.sleep(0.01)
        time.sleep(0.5)
        for pid in server.workers():
            os.kill(pid, signal.SIGKILL)

        done = operations.WaitOperation(operations_pb2.WaitOperationRequest(name=name), timeout=30)

        assert done.done
        assert "ended with signal 9" in done.error.message


def test_a_terminated_server_hands_its_plans_to_the_next(server):
    with server.stubs() as (planning, _):
        request = planning_service_pb2.CreatePlanRequest(document="{fleet: demo, steps: 4, pause_s: 0.3}")
        name = planning.CreatePlan(request, timeout=30).name
        get = planning_service_pb2.GetPlanRequest(name=name.replace("operations/", "plans/"))
        while planning.GetPlan(get, timeout=10).state != Plan.STATE_RUNNING:
            time.sleep(0.01)
        assert server.end(signal.SIGTERM) == 0
    server.start()

    with server.stubs() as (planning, operations):
        done = operations.WaitOperation(operations_pb2.WaitOperationRequest(name=name), timeout=30)
        assert done.WhichOneof("result") == "response"
