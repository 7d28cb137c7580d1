"""A server in a process of its own: ``python -m benchmarks.service_load.server '{"listen": …}'``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from models.errors import Unavailable

__all__ = ["PACED", "ServerProcess", "memory_bytes"]

PACED = "benchmarks.service_load.backend:PacedBackend"
_START_S = 60.0


class ServerProcess:
    """Starts, ends and restarts one server at an address that stays the same.

    Parameters
    ----------
    folder
        Receives the SQLite file, unless `settings` name a store, and the log.
    settings
        Fields of `planner.service.server.ServerConfig`; ``clock`` names a file with the seconds by which the
        wall clock of the server is off, which may change at any time.
    environment
        Variables beside those of this process.
    """

    def __init__(
        self, folder: Path, *, environment: Mapping[str, str] | None = None, **settings: Any
    ) -> None:
        self.address = f"127.0.0.1:{_free_port()}"
        self.log = folder / "server.log"
        self._settings = {"listen": self.address, "store": str(folder / "plans.sqlite"), **settings}
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.end(signal.SIGTERM)

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> int:
        """Of the process that was started last."""
        assert self._process is not None
        return self._process.pid

    def start(self, *, wait: bool = True) -> None:
        """Start; with `wait` until it reports SERVING."""
        command = [sys.executable, "-m", "benchmarks.service_load.server", json.dumps(self._settings)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)
        if wait:
            self.wait()

    def wait(self, limit_s: float = _START_S) -> None:
        """Wait until it reports SERVING."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if not self.running:
                break
            with self.channel() as channel, contextlib.suppress(grpc.RpcError):
                stub: Any = health_pb2_grpc.HealthStub(channel)
                answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=2, wait_for_ready=True)
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return
            time.sleep(0.05)
        raise Unavailable(f"the server does not serve: {self.log.read_text(errors='replace')[-2000:]}")

    @contextlib.contextmanager
    def channel(self) -> Iterator[grpc.Channel]:
        """A new connection, which looks for a server that died again and again without much delay."""
        options = (
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.max_receive_message_length", 2**30),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 500),
        )
        with grpc.insecure_channel(self.address, options) as channel:
            yield channel

    def end(self, number: int) -> int:
        """Send a signal, wait for the end, return the exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(60)

    def workers(self) -> list[int]:
        """Process ids of its children."""
        path = Path(f"/proc/{self.process_id}/task/{self.process_id}/children")
        try:
            return [int(pid) for pid in path.read_text(encoding="ascii").split()]
        except OSError:
            return []


def memory_bytes(process_id: int) -> tuple[int, int]:
    """(now, at most so far) resident bytes of a process."""
    found = {}
    for line in Path(f"/proc/{process_id}/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name in ("VmRSS", "VmHWM"):
            found[name] = int(value.split()[0]) * 1024
    return found["VmRSS"], found["VmHWM"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _shift_clock(path: Path) -> None:
    """Let this process's wall clock be off by the seconds in a file: the machine's own is everyone's."""
    true_ns, true_s = time.time_ns, time.time

    def off_s() -> int:
        return int(path.read_text(encoding="ascii"))

    time.time_ns = lambda: true_ns() + off_s() * 10**9
    time.time = lambda: true_s() + off_s()


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM."""
    from planner.service.create_request import PlanLimits
    from planner.service.server import ServerConfig, run_server

    settings = json.loads(arguments[0])
    if "clock" in settings:
        _shift_clock(Path(settings.pop("clock")))
    limits = PlanLimits(**settings.pop("limits", {}))
    for name in ("tokens",):
        if name in settings:
            settings[name] = Path(settings[name])
    level = settings.pop("log_level", "INFO")
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(run_server(ServerConfig(limits=limits, **settings)))


if __name__ == "__main__":
    main(sys.argv[1:])
