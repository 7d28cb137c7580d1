"""`fulcrum agent` beside fake engines, against a real `fulcrum serve` that is killed in between."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.errors import Unavailable
from planner.options import PlanOptions
from planner.service.client import PlanClient
from planner.service.fleet_client import FleetClient
from planner.testing import chat_document

FAKE = Path(__file__).parent / "fake_engine.py"


def until(done: Callable[[], object], within_s: float = 60.0) -> None:
    end = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.2)


class World:
    """A server and agents, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *words: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-c", "from planner.cli import main; main()", *words],
                stdout=log, stderr=log, cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            )  # fmt: skip

    def serve(self) -> None:
        self.start("serve", "serve", "--listen", self.address, "--store", str(self.folder / "store.sqlite"))

    def agent(self, node: str) -> None:
        name, host = node.replace("/", "-"), f"127.0.0.{2 + int(node[-1])}"
        self.start(
            name, "agent", "--fleet", "demo", "--node", node, "--server", self.address, "--run", "--address",
            host, "--engine-host", host, "--template",
            f"{sys.executable} {FAKE} --bind {{address}} {{command}}", "--folder", name,
            "--report", "1s", "--warm-up", "1s", "--drain", "5s",
        )  # fmt: skip

    def end(self, name: str, how: signal.Signals) -> int:
        process = self.processes.pop(name)
        process.send_signal(how)
        return process.wait(timeout=30)

    def engines(self) -> dict[str, int]:
        """Process of each engine by the id of its instance."""
        records = [json.loads(path.read_text()) for path in self.folder.glob("h100-*/*.json")]
        return {record["name"]: record["pid"] for record in records}

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        for pid in self.engines().values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.mark.slow
def test_a_plan_comes_to_run_and_survives_its_server(world: World) -> None:
    world.serve()
    with FleetClient(world.address) as fleets, PlanClient(world.address) as plans:
        fleets.register(chat_document(gpus_per_node=1))
        options = PlanOptions(time_limit_s=20.0, verify=False)
        small, plan = plans.make_plan(chat_document(gpus_per_node=1), options=options)
        assert len(plan.instances) == 1
        large, both = plans.make_plan(
            chat_document(gpus_per_node=1, rate_per_s=25), options=options, current=plan
        )
        assert len(both.instances) == 2

        nodes = ["h100/r0/n0", "h100/r0/n1"]
        fleets.promote("demo", small)
        world.start(
            "dry", "agent", "--fleet", "demo", "--node", nodes[0], "--server", world.address, "--once"
        )
        assert world.processes.pop("dry").wait(timeout=60) == 0
        said = (world.folder / "dry.log").read_text()
        assert "chat-mixed-0@1: loaded on GPUs 0" in said
        assert "CUDA_VISIBLE_DEVICES=0 vllm serve meta-llama/Llama-3.1-8B" in said
        assert not world.engines()
        assert not list(fleets.engines("demo"))
        for node in nodes:
            world.agent(node)
        until(lambda: _state(fleets) == "done")
        (only,) = world.engines().values()

        world.end("serve", signal.SIGKILL)
        time.sleep(1.0)
        os.kill(only, 0)  # the engine goes on
        world.serve()
        fleets.promote("demo", large)
        until(lambda: _state(fleets) == "done")
        running = world.engines()
        assert len(running) == 2
        assert only in running.values()

        first = nodes[0].replace("/", "-")
        world.end(first, signal.SIGKILL)  # the agent, not its engine
        world.agent(nodes[0])
        until(lambda: f"runs already as process {only}" in (world.folder / f"{first}.log").read_text())
        assert world.engines() == running

        until(lambda: _reported(fleets))
        fleets.roll_back("demo")
        until(lambda: _state(fleets) == "done")
        until(lambda: list(world.engines().values()) == [only])

        for node in nodes:
            assert world.end(node.replace("/", "-"), signal.SIGTERM) == 0
        assert not world.engines()
        assert not list(fleets.engines("demo"))
        assert _ended(only)
        assert world.end("serve", signal.SIGTERM) == 0


def _reported(fleets: FleetClient) -> bool:
    now = time.time()
    try:
        loads = list(fleets.load("demo", start_s=now - 120, end_s=now, step_s=5.0))
    except Unavailable:
        return False
    warm = [load for load in loads if load.ttft is not None and load.ttft.total]
    assert all(200 <= (load.ttft.quantile_ms(50) or 0) <= 300 for load in warm)
    return any(load.rate_per_s > 5 for load in loads) and bool(warm)


def _state(fleets: FleetClient) -> str:
    found = fleets.rollout("demo")
    return "" if found is None else found.state


def _ended(pid: int) -> bool:
    """Whether a process has ended; one whose parent died is perhaps not reaped by anybody."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"
