"""Engines that carry out rollouts while their server dies: what they acknowledged, and if it holds."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import grpc

from benchmarks.service_load.backend import POOL
from benchmarks.service_load.server import ServerProcess
from planner.service.gen.fulcrum.v1 import (
    engine_service_pb2,
    engine_service_pb2_grpc,
    fleet_service_pb2,
    fleet_service_pb2_grpc,
    rollout_pb2,
)

__all__ = ["EngineBooks"]

_CALL_S = 10.0
_WATCH_S = 2.0
"""Longest watch, so that an engine hears that it is to end."""
_STEP_S = 0.005
_DONE = engine_service_pb2.AcknowledgeStepRequest.OUTCOME_DONE
_STARTED = engine_service_pb2.AcknowledgeStepRequest.OUTCOME_STARTED


@dataclass(slots=True)
class EngineBooks:
    """One engine a node, each doing whatever its assignment tells it to.

    Parameters
    ----------
    done
        Steps whose end was acknowledged: generation, index, node.
    backwards
        How often an engine was sent back to an older promotion.
    refused
        Count of calls that ended with an error, by code.
    """

    fleet: str
    node_count: int
    done: set[tuple[int, int, str]] = field(default_factory=set)
    backwards: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def threads(self, server: ServerProcess, stop: threading.Event) -> list[threading.Thread]:
        """One for each engine, not started; they end soon after `stop` is set."""
        return [
            threading.Thread(target=self._run, args=(server, number, stop))
            for number in range(self.node_count)
        ]

    def _run(self, server: ServerProcess, number: int, stop: threading.Event) -> None:
        seen = 0
        while not stop.is_set():
            with server.channel() as channel:
                stub: Any = engine_service_pb2_grpc.EngineServiceStub(channel)  # type: ignore[no-untyped-call]
                try:
                    seen = self._follow(stub, number, seen, stop)
                except grpc.RpcError as error:
                    if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                        self.refused[error.code().name] += 1
                        stop.wait(0.02)

    def _follow(self, stub: Any, number: int, seen: int, stop: threading.Event) -> int:
        """Register, and do what is to be done until the stream ends."""
        engine = engine_service_pb2.Engine(node=f"{POOL}/0/{number}")
        register = engine_service_pb2.RegisterEngineRequest(
            parent=f"fleets/{self.fleet}", engine_id=f"engine-{number}", engine=engine
        )
        name = stub.RegisterEngine(register, timeout=_CALL_S, wait_for_ready=True).name
        watch = engine_service_pb2.WatchAssignmentRequest(name=name)
        for response in stub.WatchAssignment(watch, timeout=_WATCH_S):
            if stop.is_set():
                break
            generation = response.assignment.generation
            if not response.HasField("assignment"):
                continue
            self.backwards += generation < seen
            seen = max(seen, generation)
            for step in response.assignment.steps:
                self._do(stub, name, generation, step, engine.node)
        return seen

    def _do(self, stub: Any, name: str, generation: int, step: Any, node: str) -> None:
        """Begin a step and end it; one that was superseded meanwhile is let be."""
        for outcome in (_STARTED, _DONE):
            request = engine_service_pb2.AcknowledgeStepRequest(
                name=name, generation=generation, step_index=step.step.index, outcome=outcome
            )
            try:
                stub.AcknowledgeStep(request, timeout=_CALL_S)
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                    raise
                return
            time.sleep(_STEP_S)
        self.done.add((generation, step.step.index, node))

    def wait_for_the_last(self, fleets: Any, limit_s: float) -> bool:
        """Whether the last rollout is done in time, by a stub of FleetService."""
        end_s = time.monotonic() + limit_s
        while time.monotonic() < end_s:
            with contextlib.suppress(grpc.RpcError):  # it has just been killed
                if _rollout(fleets, self.fleet, "-").state == rollout_pb2.Rollout.STATE_DONE:
                    return True
            time.sleep(0.05)
        return False

    def audit(self, server: ServerProcess) -> dict[str, int]:
        """Compare what was acknowledged with what the server holds."""
        states: Counter[int] = Counter()
        lost = 0
        with server.channel() as channel:
            fleets: Any = fleet_service_pb2_grpc.FleetServiceStub(channel)  # type: ignore[no-untyped-call]
            for generation in sorted({generation for generation, _, _ in self.done}):
                rollout = _rollout(fleets, self.fleet, str(generation))
                states[rollout.state] += 1
                held = {
                    (generation, step.step.index, stage.node)
                    for step in rollout.steps
                    if step.state == rollout_pb2.RolloutStep.STATE_DONE
                    for stage in step.step.stages
                }
                mine = {entry for entry in self.done if entry[0] == generation}
                lost += len(mine - held)
        return {
            "steps_acknowledged": len(self.done),
            "steps_lost": lost,
            "rollouts_done": states[rollout_pb2.Rollout.STATE_DONE],
            "rollouts_superseded": states[rollout_pb2.Rollout.STATE_SUPERSEDED],
            "rollouts_failed": states[rollout_pb2.Rollout.STATE_FAILED],
            "engines_sent_backwards": self.backwards,
        }


def _rollout(fleets: Any, fleet: str, generation: str) -> Any:
    request = fleet_service_pb2.GetRolloutRequest(name=f"fleets/{fleet}/rollouts/{generation}")
    return fleets.GetRollout(request, timeout=_CALL_S)
