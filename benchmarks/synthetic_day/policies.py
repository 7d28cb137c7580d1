"""Ways to run a fleet for a day: a plan for the peak that never changes, replicas that follow the load."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from benchmarks.synthetic_day.world import NEVER, Life, World, free_gpus
from planner.fleet.pool import Pool
from planner.plan import Instance, Plan
from planner.plan.instance import Stage

__all__ = ["TICK_S", "Policy", "Replicas", "StaticPeak", "first_fit", "run_day", "settle"]

TICK_S = 30.0
DETECTED_S = 60.0
"""From the failure of a node until its pods are started elsewhere."""


class Policy(Protocol):
    """Decides once every tick."""

    name: str

    def begin(self, world: World) -> None:
        """Set up what runs at midnight."""

    def tick(self, world: World) -> None:
        """Look, and act."""

    def close(self) -> None:
        """End what the policy started outside the world."""


def run_day(world: World, policy: Policy, failures: Sequence[tuple[float, str]], end_s: float) -> None:
    """Play a day: nodes fail at stated times, whatever the policy put there."""
    policy.begin(world)
    pending = sorted(failures)
    while world.now_s < end_s:
        world.advance(min(world.now_s + TICK_S, end_s))
        while pending and pending[0][0] <= world.now_s:
            world.fail(pending.pop(0)[1])
        policy.tick(world)


def settle(world: World, plan: Plan) -> dict[str, Life]:
    """All instances of a plan, serving at once: what ran before the day began."""
    lives = {instance.name: world.start(instance.name, instance) for instance in plan.instances}
    for life in lives.values():
        life.serves_s = world.now_s
    return lives


def first_fit(world: World, shape: Instance, key: str) -> Instance | None:
    """The shape on the first nodes of its pool with enough free GPUs, or None."""
    pool = next(pool for pool in world.fleet.pools if pool.name == shape.pool)
    nodes = [(node, pool.gpus_per_node) for node in _nodes(pool) if node not in world.down]
    free = free_gpus(nodes, world.taken())
    stages: list[Stage] = []
    for _ in shape.stages:
        node = next((n for n, gpus in free.items() if len(gpus) >= shape.stage_gpus), None)
        if node is None:
            return None
        stages.append(Stage(node, tuple(free[node][: shape.stage_gpus])))
        del free[node][: shape.stage_gpus]
    return replace(shape, name=key, stages=tuple(stages))


def _nodes(pool: Pool) -> list[str]:
    return [pool.node_name(node) for node in range(pool.nodes) if node not in pool.unavailable]


class StaticPeak:
    """A plan for the day's peak; what a node takes down with it is started elsewhere, if there is room."""

    name = "static peak plan"

    def __init__(self, plan: Plan, start_s: Callable[[Instance], float]) -> None:
        self._plan = plan
        self._start_s = start_s
        self._replaced: set[int] = set()

    def begin(self, world: World) -> None:
        settle(world, self._plan)

    def tick(self, world: World) -> None:
        for life in list(world.lives):
            lost = life.failed_s + DETECTED_S <= world.now_s and id(life) not in self._replaced
            if not lost:
                continue
            key = f"{life.key}'"
            instance = first_fit(world, life.instance, key)
            if instance is None:
                continue
            self._replaced.add(id(life))
            again = world.start(key, instance)
            again.serves_s = world.now_s + self._start_s(instance)

    def close(self) -> None:
        pass


class Replicas:
    """One shape a workload; as many replicas as keep their load at a share of what one can carry.

    As a horizontal autoscaler: the rate of the last minute decides, more is started at once, fewer only when
    that has been enough for five minutes. It never changes parallelism, GPU type or the shape of anything.
    """

    name = "replica autoscaler"
    utilisation = 0.8
    window_s = 60.0
    patience_s = 300.0

    def __init__(
        self, shapes: dict[str, Instance], start_s: Callable[[Instance], float], drain_s: float
    ) -> None:
        self._shapes = shapes
        self._start_s = start_s
        self._drain_s = drain_s
        self._wanted: dict[str, list[tuple[float, int]]] = {name: [] for name in shapes}
        self._made = 0

    def begin(self, world: World) -> None:
        for workload, shape in self._shapes.items():
            rate = world.traffic[workload].between(0.0, 600.0)
            for _ in range(self._enough(workload, (rate.stop - rate.start) / 600.0)):
                life = self._one_more(world, workload, shape)
                if life is not None:
                    life.serves_s = 0.0

    def tick(self, world: World) -> None:
        for workload, shape in self._shapes.items():
            enough = self._enough(workload, world.rate_per_s(workload, self.window_s))
            seen = [(t, n) for t, n in self._wanted[workload] if t > world.now_s - self.patience_s]
            self._wanted[workload] = [*seen, (world.now_s, enough)]
            target = max(n for _, n in self._wanted[workload])
            alive = [life for life in world.running(workload) if life.until_s == NEVER]
            for _ in range(target - len(alive)):
                life = self._one_more(world, workload, shape)
                if life is None:
                    break
                life.serves_s = world.now_s + self._start_s(shape)
            for life in sorted(alive, key=lambda life: life.began_s)[target:]:
                life.until_s = world.now_s
                life.ended_s = world.now_s + self._drain_s

    def _enough(self, workload: str, rate_per_s: float) -> int:
        carries = self._shapes[workload].expected.capacity_per_s * self.utilisation
        return max(1, math.ceil(rate_per_s / carries))

    def _one_more(self, world: World, workload: str, shape: Instance) -> Life | None:
        self._made += 1
        key = f"{workload}-{self._made}"
        instance = first_fit(world, shape, key)
        return None if instance is None else world.start(key, instance)

    def close(self) -> None:
        pass
