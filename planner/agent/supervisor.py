"""Makes a node run what it was assigned, and says how far it is with each step. Knows no server."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from planner.agent.config import AgentConfig
from planner.agent.process import EngineProcess
from planner.agent.slot import Slot
from planner.rollout import Outcome
from planner.service.protos import engine_service_pb2, plan_pb2

__all__ = ["Said", "Supervisor"]

log = logging.getLogger(__name__)

_DESIRED = engine_service_pb2.AssignedInstance
_STATUS = engine_service_pb2.InstanceStatus
_KIND = plan_pb2.TransitionStep
_ROUTER_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True)
class Said:
    """How far a step is."""

    generation: int
    step: int
    outcome: Outcome
    reason: str = ""


class Supervisor:
    """All instances of one node, driven by `tick`; times are of a monotonic clock.

    What runs is led by the assignment as a whole, not by the steps, so that nothing depends on having seen
    each: an agent that was away for a while catches up with what holds now.

    Parameters
    ----------
    say
        Told how far the steps are; repeats itself every tick until the step is not open any more.
    """

    def __init__(self, config: AgentConfig, say: Callable[[Said], None]) -> None:
        self.config = config
        self.slots: dict[str, Slot] = {}
        self._say = say
        self._adopted = EngineProcess.adopt(config.folder)
        self._assignment: engine_service_pb2.Assignment | None = None
        self._leaving = False
        self._router_errors: dict[str, tuple[str, float]] = {}
        for name, (process, _) in self._adopted.items():
            log.info("%s was started by an agent before and runs as process %d", name, process.pid)

    def assign(self, assignment: engine_service_pb2.Assignment, now_s: float) -> None:
        """From now on this holds."""
        self._assignment = assignment
        for assigned in assignment.instances:
            slot = self.slots.get(assigned.instance_id)
            if slot is None:
                slot = self.slots[assigned.instance_id] = Slot(assigned, self.config)
                if assigned.instance_id in self._adopted:
                    slot.adopt(*self._adopted.pop(assigned.instance_id), now_s)
            slot.assigned = assigned
        for name, adopted in self._adopted.items():  # unwanted: a slot that no assignment names is stopped
            nobody = engine_service_pb2.AssignedInstance(instance_id=name)
            self.slots[name] = Slot(nobody, self.config)
            self.slots[name].adopt(*adopted, now_s)
        self._adopted = {}

    def leave(self) -> None:
        """End everything: drain, then stop."""
        self._leaving = True
        if self._assignment is None:  # unknown whether it is wanted; it was started for this agent
            self.assign(engine_service_pb2.Assignment(), 0.0)

    @property
    def empty(self) -> bool:
        """Whether nothing runs."""
        return not any(slot.running for slot in self.slots.values())

    def tick(self, now_s: float) -> None:
        """Bring what runs closer to what is wanted."""
        if self._assignment is None:
            return
        wanted = {assigned.instance_id: assigned.desired for assigned in self._assignment.instances}
        for slot in list(self.slots.values()):
            slot.tick(now_s)
            desired = wanted.get(slot.id)
            if self._leaving and desired is not None:
                desired = _DESIRED.DESIRED_DRAINING
            self._lead(slot, desired, now_s)
            if desired is None and not slot.running:
                del self.slots[slot.id]
                self._router_errors.pop(slot.id, None)
        if not self._leaving:
            for step in self._assignment.steps:
                said = self._outcome(step, now_s)
                if said is not None:
                    self._say(Said(self._assignment.generation, step.step.index, *said))

    def statuses(self) -> list[engine_service_pb2.InstanceStatus]:
        """All instances as they are."""
        return [
            engine_service_pb2.InstanceStatus(
                instance_id=slot.id, state=self._status(slot), restart_count=slot.restarts,
                message=(slot.failed or slot.message)[:500],
            )
            for slot in self.slots.values()
        ]  # fmt: skip

    def _lead(self, slot: Slot, desired: int | None, now_s: float) -> None:
        if desired is None or slot.failed:
            slot.stop(now_s)
        elif desired == _DESIRED.DESIRED_DRAINING:
            if slot.routed:
                self._route(slot, serve=False, now_s=now_s)
            if slot.drain(now_s) and self._leaving:
                slot.stop(now_s)
        else:
            slot.undrain()
            if not slot.running and not self._taken(slot):
                slot.start(now_s)
            elif slot.state == "ready" and desired == _DESIRED.DESIRED_SERVING:
                self._route(slot, serve=True, now_s=now_s)

    def _taken(self, slot: Slot) -> bool:
        """Whether other processes still hold its GPUs."""
        return any(other.running and other.gpus & slot.gpus for other in self.slots.values())

    def _route(self, slot: Slot, *, serve: bool, now_s: float) -> None:
        error, again_s = self._router_errors.get(slot.id, ("", 0.0))
        if slot.routed == serve or now_s < again_s:
            return
        error = slot.route(serve=serve)
        if error:
            log.error("%s: %s", slot.id, error)
            self._router_errors[slot.id] = (error, now_s + _ROUTER_PAUSE_S)
        else:
            self._router_errors.pop(slot.id, None)

    def _outcome(self, step: engine_service_pb2.OpenStep, now_s: float) -> tuple[Outcome, str] | None:
        """How far a step is; None: nothing to say yet."""
        slot, kind = self.slots.get(step.instance_id), step.step.kind
        if kind == _KIND.KIND_RETIRE:
            return ("done", "") if slot is None else ("started", "")
        if kind in (_KIND.KIND_DRAIN, _KIND.KIND_MIGRATE):
            return ("done" if slot is None or slot.drained or not slot.running else "started"), ""
        if slot is None:
            return "failed", "the instance is not assigned to this node"
        if slot.failed:
            return "failed", slot.failed
        if kind == _KIND.KIND_LOAD:
            if slot.state == "ready":
                return "done", ""
            return ("started", "") if slot.running else None
        if slot.routed:
            return "done", ""
        error = self._router_errors.get(slot.id, ("", 0.0))[0]
        return ("failed", error) if error else None

    def _status(self, slot: Slot) -> engine_service_pb2.InstanceStatus.State:
        if slot.failed:
            return _STATUS.STATE_CRASHED
        if slot.draining:
            return _STATUS.STATE_DRAINING
        if slot.state == "ready":
            return _STATUS.STATE_READY
        if slot.running:
            return _STATUS.STATE_STARTING if slot.state == "starting" else _STATUS.STATE_DRAINING
        return _STATUS.STATE_CRASHED if slot.restarts else _STATUS.STATE_STOPPED
