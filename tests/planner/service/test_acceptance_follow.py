"""The rebalancing job follows its promotions: engines that do their steps, fail them, or do nothing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import duration_pb2, timestamp_pb2

from models.errors import FulcrumError
from planner.cli.app import run
from planner.service.engine_client import EngineClient, StepRefused, Watch
from planner.service.fleet_client import FleetClient
from planner.service.protos import load_pb2
from planner.testing import chat_document

LOAD = 1
FLEET = chat_document(gpus_per_node=1)


class Robot:
    """An engine that acknowledges what it is to do, at once."""

    def __init__(self, address: str, node: str) -> None:
        self.client = EngineClient(address)
        self.name = self.client.register("demo", node.replace("/", "-"), node=node, lease_s=60)
        self.fails_loads = False
        self.running: set[str] = set()
        self.watch: Watch = self.client.watch(self.name)
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        try:
            for assignment in self.watch:
                if assignment is None:
                    continue
                self.running = {one.instance_id for one in assignment.instances}
                for step in assignment.steps:
                    self._do(assignment.generation, step.step)
        except FulcrumError:
            pass  # the test is over

    def _do(self, generation: int, step: Any) -> None:
        failing = self.fails_loads and step.kind == LOAD
        try:
            if failing:
                self.client.acknowledge(self.name, generation, step.index, "failed", "no memory")
            else:
                self.client.acknowledge(self.name, generation, step.index, "done")
        except StepRefused:
            pass  # another failed meanwhile

    def report(self, rate_per_s: float, *, minutes: int = 10) -> None:
        """Report the same load for the last minutes."""
        samples = []
        now = time.time()
        for name in self.running:
            for i in range(minutes):
                end = timestamp_pb2.Timestamp(seconds=int(now) - 60 * i)
                samples.append(
                    load_pb2.LoadSample(
                        instance_id=name, end_time=end, window=duration_pb2.Duration(seconds=60),
                        request_count=round(60 * rate_per_s),
                        ttft=load_pb2.LatencyHistogram(upper_bounds_ms=[500, 900], counts=[0, 100, 0]),
                    )
                )  # fmt: skip
        self.client.report(self.name, samples)

    def close(self) -> None:
        self.watch.cancel()
        self.thread.join(10)
        self.client.close()


@pytest.fixture
def world(
    tmp_path: Path, start_server: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> Iterator[Any]:
    server = start_server(backend="planner.service.backend:PipelineBackend")
    document = tmp_path / "fleet.yaml"
    document.write_text(FLEET)
    assert run(["fleet", "register", str(document), "--server", server.address]) == 0
    robots = [Robot(server.address, f"h100/r0/n{i}") for i in range(2)]

    def turn(rate_per_s: float | None, *options: str) -> tuple[int, Any]:
        capsys.readouterr()
        source = ["--reported"]
        if rate_per_s is not None:
            now, path = time.time(), tmp_path / "load.csv"
            rows = [f"{now - 60 * i},chat,{rate_per_s}" for i in range(10)]
            path.write_text("time_s,workload,rate_per_s\n" + "\n".join(rows) + "\n")
            source = ["--measurements", str(path)]
        code = run(
            ["rebalance", "--fleet", "demo", "--server", server.address, *source, "--once", "--json",
             "--step", "1min", "--horizon", "5min", "--auto", *options]
        )  # fmt: skip
        text = capsys.readouterr().out
        return code, json.loads(text) if text else None

    with FleetClient(server.address) as fleets:
        yield turn, robots, fleets, server.address
    for robot in robots:
        robot.close()


@pytest.mark.slow
def test_a_promotion_is_followed_to_its_end_and_taken_back_when_it_fails(world: Any, capsys: Any) -> None:
    turn, robots, fleets, address = world
    code, first = turn(10.0)
    assert (code, first["decision"]) == (0, "promoted")
    assert first["reasons"][-1] == "2 of 2 steps of the rollout are done"
    assert fleets.rollout("demo").state == "done"
    small = fleets.get("demo").promoted_plan

    for robot in robots:
        robot.fails_loads = True
    code, failed = turn(25.0)
    assert (code, failed["decision"]) == (2, "rolled back")
    assert "no memory" in failed["reasons"][0]
    assert fleets.get("demo").promoted_plan == small
    assert fleets.rollout("demo").state == "done"  # nothing had to be loaded to go back
    end = time.monotonic() + 20.0  # robots hear a moment later that it is done
    while sum(len(robot.running) for robot in robots) != 1 and time.monotonic() < end:
        time.sleep(0.05)
    assert sum(len(robot.running) for robot in robots) == 1

    for robot in robots:
        robot.fails_loads = False
    code, grown = turn(25.0)
    assert (code, grown["decision"]) == (0, "promoted")
    assert [len(robot.running) for robot in robots] == [1, 1]

    for robot in robots:
        robot.report(12.5)
    code, held = turn(None)
    assert (code, held["decision"]) == (0, "hold")
    (workload,) = held["workloads"]
    assert workload["rate_per_s"] == pytest.approx(25.0)
    assert 500 <= workload["ttft_ms"] <= 900

    capsys.readouterr()
    assert run(["fleet", "rollout", "demo", "--server", address]) == 0
    assert ": done\n" in capsys.readouterr().out
    assert run(["fleet", "engines", "demo", "--server", address]) == 0
    assert "h100-r0-n0: live" in capsys.readouterr().out


@pytest.mark.slow
def test_a_rollout_in_which_nothing_happens_is_taken_back(world: Any) -> None:
    turn, robots, fleets, _ = world
    assert turn(10.0)[1]["decision"] == "promoted"
    busy, idle = sorted(robots, key=lambda robot: -len(robot.running))
    idle.close()
    idle.client = EngineClient("127.0.0.1:1")  # closed again at the end of the test
    code, stuck = turn(25.0, "--step-timeout", "1s")
    assert (code, stuck["decision"]) == (2, "rolled back")
    assert "nothing happened for 1 s" in stuck["reasons"][0]
    assert fleets.rollout("demo").state == "done"
    assert len(busy.running) == 1
