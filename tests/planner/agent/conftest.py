"""Assignments as a server would send them, and fake engines to run."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from planner.agent.config import AgentConfig, Timing
from planner.service.protos import engine_service_pb2 as pb
from planner.service.protos import plan_pb2

FAKE = Path(__file__).parent / "fake_engine.py"
LOADED, SERVING, DRAINING = 1, 2, 3
LOAD, SWITCH, DRAIN, RETIRE = 1, 2, 4, 6


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def assigned() -> Callable[..., pb.AssignedInstance]:
    """Make an instance on the GPUs 0 and 1 of a node, started as a fake engine."""

    def make(
        name: str = "chat-0@1", desired: int = LOADED, *, gpus=(0, 1), mood: str = "", port: int | None = None
    ) -> pb.AssignedInstance:
        stages = [plan_pb2.Stage(node="n0", gpu_indices=gpus)]
        command = [sys.executable, str(FAKE), "--port", str(port or free_port())]
        return pb.AssignedInstance(
            instance_id=name, desired=desired, node="n0", gpu_indices=gpus,
            instance=plan_pb2.Instance(name=name, workload="chat", engine="vllm", stages=stages),
            launch=plan_pb2.Launch(node="n0", command=command, environment={"FAKE_ENGINE": mood}),
        )  # fmt: skip

    return make


@pytest.fixture
def assignment() -> Callable[..., pb.Assignment]:
    """Make an assignment of instances and steps, each ``(index, kind, instance)``."""

    def make(*instances: pb.AssignedInstance, steps=(), generation: int = 1) -> pb.Assignment:
        return pb.Assignment(
            generation=generation,
            instances=instances,
            steps=[
                pb.OpenStep(step=plan_pb2.TransitionStep(index=index, kind=kind), instance_id=name)
                for index, kind, name in steps
            ],
        )

    return make


@pytest.fixture
def config(tmp_path: Path) -> AgentConfig:
    return AgentConfig(
        fleet="demo", engine_id="e0", node="n0", folder=tmp_path / "agent",
        timing=Timing(ready=10.0, drain=5.0, stop=5.0, report=1.0, lease=5.0, first_pause=0.05, warm_up=0.0),
    )  # fmt: skip
