"""How a server comes up, and what is left of one that does not."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from models.document import adapter
from models.errors import Unavailable
from planner.plan import Plan
from planner.rollout import RolloutBody
from planner.service import server as module
from planner.service.convert import warm_up
from planner.service.server import PlanServer, ServerConfig


async def _code(port: int, limit_s: float) -> str:
    """What a health check ends with."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            await stub.Check(health_pb2.HealthCheckRequest(), timeout=limit_s, wait_for_ready=True)
        except grpc.RpcError as error:
            return error.code().name
    return "OK"


def _config(tmp_path, **settings):
    settings = {"listen": "127.0.0.1:0", "store": str(tmp_path / "plans.sqlite"), "grace_s": 0.1} | settings
    return ServerConfig(**settings)


def test_nobody_is_answered_before_all_is_made_that_answers_need(tmp_path, monkeypatch):
    codes = []

    async def start_and_stop():
        server = PlanServer(_config(tmp_path))
        loop = asyncio.get_running_loop()

        def warm_up_slowly():
            asking = asyncio.run_coroutine_threadsafe(_code(server.port, 0.3), loop)
            codes.append(asking.result(20))
            warm_up()

        monkeypatch.setattr(module, "warm_up", warm_up_slowly)
        await server.start()
        codes.append(await _code(server.port, 20))
        await server.stop()

    asyncio.run(start_and_stop())

    assert codes == ["DEADLINE_EXCEEDED", "OK"]


def test_warming_up_makes_what_plans_and_rollouts_are_read_with(monkeypatch):
    monkeypatch.setattr(adapter, "_adapters", {})
    warm_up()
    assert set(adapter._adapters) == {Plan, RolloutBody}


def test_a_server_whose_workers_do_not_start_says_so_and_leaves_nothing(tmp_path):
    async def start():
        server = PlanServer(_config(tmp_path, backend="no_such_module:Backend"))
        with pytest.raises(Unavailable, match="a worker process did not start"):
            await server.start()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", server.port)

    asyncio.run(start())


def test_a_server_imports_no_planner_which_its_workers_run():
    script = (
        "import sys, planner.service.server;"
        "sys.exit(bool({'planner.fleet.fleet', 'planner.pipeline', 'scipy'} & set(sys.modules)))"
    )
    root = str(Path(__file__).parents[3])
    assert subprocess.run([sys.executable, "-c", script], cwd=root, check=False).returncode == 0
