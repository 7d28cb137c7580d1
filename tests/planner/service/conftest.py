"""A server in a thread, on a real socket, with scripted workers."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc

from planner.service.gen.fulcrum.v1 import planning_service_pb2, planning_service_pb2_grpc
from planner.service.server import PlanServer, ServerConfig

HERE = Path(__file__).parent


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """One event loop in one thread for all servers of the process, as grpc.aio likes it best."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run_coroutine_threadsafe(coroutine, _loop()).result(120)


class Running:
    """A started server and plain clients for it."""

    def __init__(self, config: ServerConfig, **parts: Any) -> None:
        self.config = config
        self._parts = parts
        self._stopped = False
        self.server = _run(self._start())
        self.address = f"127.0.0.1:{self.server.port}"
        if config.tls is None:
            self.channel = grpc.insecure_channel(self.address)
            self.planning = planning_service_pb2_grpc.PlanningServiceStub(self.channel)
            self.operations = operations_pb2_grpc.OperationsStub(self.channel)

    async def _start(self) -> PlanServer:
        server = PlanServer(self.config, **self._parts)
        await server.start()
        return server

    def stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            if self.config.tls is None:
                self.channel.close()
            _run(self.server.stop())

    def create(self, document: str = "fleet: demo", **fields: Any) -> Any:
        request = planning_service_pb2.CreatePlanRequest(document=document, **fields)
        return self.planning.CreatePlan(request, timeout=30)

    def wait(self, operation: Any, timeout: float = 30) -> Any:
        request = operations_pb2.WaitOperationRequest(name=operation.name)
        return self.operations.WaitOperation(request, timeout=timeout)

    def plan(self, operation: Any) -> Any:
        name = operation.name.replace("operations/", "plans/")
        return self.planning.GetPlan(planning_service_pb2.GetPlanRequest(name=name), timeout=10)


def _config(folder: Path, **settings: Any) -> ServerConfig:
    defaults = {
        "listen": "127.0.0.1:0",
        "store": str(folder / "plans.sqlite"),
        "backend": "scripted_backend:ScriptedBackend",
        "lease_s": 1.0,
        "grace_s": 0.2,
    }
    return ServerConfig(**{**defaults, **settings})


@pytest.fixture(scope="module")
def _scripted() -> Iterator[None]:
    """Let worker processes find the scripted backend."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]))
        yield


@pytest.fixture
def start_server(tmp_path: Path, _scripted: None) -> Iterator[Callable[..., Running]]:
    """Start servers that share one SQLite file; all are stopped at the end."""
    with contextlib.ExitStack() as stack:

        def start(*, tracing: Any = None, **settings: Any) -> Running:
            running = Running(_config(tmp_path, **settings), tracing=tracing)
            stack.callback(running.stop)
            return running

        yield start


@pytest.fixture
def server(start_server: Callable[..., Running]) -> Running:
    """A server of the test's own."""
    return start_server()


@pytest.fixture(scope="module")
def start_servers_of_the_module(
    tmp_path_factory: pytest.TempPathFactory, _scripted: None
) -> Iterator[Callable[..., Running]]:
    """As `start_server`, for servers that all tests of a module share."""
    folder = tmp_path_factory.mktemp("module")
    with contextlib.ExitStack() as stack:

        def start(**settings: Any) -> Running:
            running = Running(_config(folder, **settings))
            stack.callback(running.stop)
            return running

        yield start


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory, _scripted: None) -> Iterator[Running]:
    """One server for all tests of a module that do not mind each other's plans."""
    running = Running(_config(tmp_path_factory.mktemp("shared")))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def shared_real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server with the real planner and solvers for all tests of a module."""
    backend = ServerConfig.__dataclass_fields__["backend"].default
    running = Running(_config(tmp_path_factory.mktemp("real"), backend=backend))
    yield running
    running.stop()
