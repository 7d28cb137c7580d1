"""Fake engines: they speak EngineService to a real server and do in simulated time what it asks of them.

One for each node. A thread follows the assignment, another says that the engine is alive; both end when the
node fails, so that the server finds out as it would in earnest: nobody renews the lease.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.synthetic_day.world import Life, World
from models.errors import FulcrumError
from planner.plan import Instance
from planner.service.engine_client import EngineClient, StepRefused
from planner.service.protos import load_pb2

__all__ = ["FakeEngine"]

Floats = npt.NDArray[np.float64]

LEASE_S, BEAT_S = 2.0, 0.5
"""Of the real clock: a failed node is noticed after two seconds."""
COLD_S = 60.0
"""What an instance measures in its first minute of serving is of a cold engine."""


class FakeEngine:
    """All GPUs of a node.

    Parameters
    ----------
    lives
        Instances of the whole fleet by id, shared by all engines: one that spans nodes is in it once.
    """

    def __init__(self, client: EngineClient, fleet: str, node: str, lives: dict[str, Life]) -> None:
        self.node = node
        self._client = client
        self._lives = lives
        self._mine: set[str] = set()
        self._due: dict[tuple[int, int], float] = {}
        self._assignment: Any = None
        self._alive = threading.Event()
        self._alive.set()
        self.name = client.register(fleet, node.replace("/", "-"), node=node, lease_s=LEASE_S)
        self._watch = client.watch(self.name)
        threading.Thread(target=self._follow, daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()

    def fail(self) -> None:
        """The node is gone: nothing is said any more."""
        self._alive.clear()
        self._watch.cancel()

    close = fail

    def act(self, world: World, instances: Mapping[str, Instance], *, at_once: bool = False) -> bool:
        """Begin and end steps that are due now; returns whether anything was acknowledged.

        Parameters
        ----------
        instances
            Of the promoted plans, by name: what the steps are about.
        at_once
            Steps take no time.
        """
        assignment = self._assignment
        if assignment is None or not self._alive.is_set():
            return False
        acted = False
        wanted = {assigned.instance_id for assigned in assignment.instances}
        for assigned in assignment.instances:
            self._mine.add(assigned.instance_id)
        for open_step in assignment.steps:
            step, key = open_step.step, (assignment.generation, open_step.step.index)
            kind = step.Kind.Name(step.kind).removeprefix("KIND_").lower()
            if key not in self._due:
                length = step.end_offset.ToTimedelta() - step.start_offset.ToTimedelta()
                self._due[key] = world.now_s + (0.0 if at_once else length.total_seconds())
                self._begin(world, kind, open_step.instance_id, instances.get(step.instance))
                acted |= self._say(assignment.generation, step.index, "started")
            if self._due[key] <= world.now_s and self._due[key] >= 0:
                self._end(world, kind, open_step.instance_id)
                acted |= self._say(assignment.generation, step.index, "done")
                self._due[key] = -1.0
        for gone in self._mine - wanted:
            life = self._lives.get(gone)
            if life is not None and life.ended_s > world.now_s:
                life.until_s = min(life.until_s, world.now_s)
                life.ended_s = world.now_s
        self._mine &= wanted
        return acted

    def _begin(self, world: World, kind: str, instance_id: str, instance: Instance | None) -> None:
        if kind == "load" and instance_id not in self._lives:
            assert instance is not None, f"a load of {instance_id}, which no plan has"
            self._lives[instance_id] = world.start(instance_id, instance)
        elif kind in {"drain", "migrate"} and instance_id in self._lives:
            life = self._lives[instance_id]
            life.until_s = min(life.until_s, world.now_s)

    def _end(self, world: World, kind: str, instance_id: str) -> None:
        life = self._lives.get(instance_id)
        if life is None:
            return
        if kind == "switch":
            life.serves_s = min(life.serves_s, world.now_s)
        elif kind == "retire":
            life.until_s = min(life.until_s, world.now_s)
            life.ended_s = min(life.ended_s, world.now_s)

    def _say(self, generation: int, step: int, outcome: Any) -> bool:
        with contextlib.suppress(StepRefused):  # of a promotion that another has replaced since
            self._client.acknowledge(self.name, generation, step, outcome)
        return True

    def report(self, world: World, epoch_s: float, window_s: float) -> None:
        """Report what the instances that begin on this node measured in the window that ends now."""
        if not self._alive.is_set():
            return
        samples = []
        for instance_id in sorted(self._mine):
            life = self._lives.get(instance_id)
            if life is None or life.instance.stages[0].node != self.node or life.serves_s >= world.now_s:
                continue
            rate, ttft, tpot = world.measured(life, window_s)
            samples.append(
                _sample(instance_id, epoch_s + world.now_s, window_s, rate, ttft, tpot,
                        cold=world.now_s - window_s < life.serves_s + COLD_S)
            )  # fmt: skip
        if samples:
            self._client.report(self.name, samples)

    def recall(self, rates: Mapping[float, Mapping[str, float]], window_s: float) -> None:
        """Report the day before: end of a window, since the epoch → workload → rate of one instance."""
        samples = [
            _sample(instance_id, end_s, window_s, rate, np.zeros(0), np.zeros(0), cold=False)
            for instance_id in sorted(self._mine)
            if self._lives[instance_id].instance.stages[0].node == self.node
            for end_s, by_workload in rates.items()
            for rate in [by_workload[self._lives[instance_id].instance.workload]]
        ]
        for first in range(0, len(samples), 1000):
            self._client.report(self.name, samples[first : first + 1000])

    def _follow(self) -> None:
        with contextlib.suppress(FulcrumError):
            for assignment in self._watch:
                if not self._alive.is_set():
                    return
                if assignment is not None:
                    self._assignment = assignment

    def _beat(self) -> None:
        while self._alive.is_set():
            with contextlib.suppress(FulcrumError):
                self._client.report(self.name)
            threading.Event().wait(BEAT_S)


def _sample(
    instance_id: str, end_s: float, window_s: float, rate: float, ttft: Floats, tpot: Floats, *, cold: bool
) -> load_pb2.LoadSample:  # fmt: skip
    sample = load_pb2.LoadSample(
        instance_id=instance_id, request_count=round(rate * window_s), cold_start=cold
    )
    sample.end_time.FromNanoseconds(round(end_s * 1e9))
    sample.window.FromSeconds(round(window_s))
    for field, values in ((sample.ttft, ttft), (sample.tpot, tpot)):
        if values.size:
            counts, _ = np.histogram(values, bins=[0.0, *_BOUNDS, np.inf])
            field.upper_bounds_ms.extend(_BOUNDS)
            field.counts.extend(counts.tolist())
    return sample


_BOUNDS = [float(bound) for bound in np.geomspace(1.0, 60_000.0, 60)]
