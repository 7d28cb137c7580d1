"""The rebalancing job for a day: real server, real job, real promotions and rollouts, fake engines.

The job runs a turn every quarter of an hour and when the server has noticed that a node is lost. While it
plans, the day stands still; while its rollout goes on, the day goes on with it. Times that the server keeps
of its own (when something was promoted) are translated into the day's.
"""

from __future__ import annotations

import dataclasses
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.service_load.server import ServerProcess
from benchmarks.synthetic_day.engines import FakeEngine
from benchmarks.synthetic_day.policies import TICK_S
from benchmarks.synthetic_day.traffic import DAY_S, Traffic
from benchmarks.synthetic_day.world import Life, World
from models.errors import FulcrumError
from planner.fleet import Fleet
from planner.options import PlanOptions
from planner.plan import Instance, Plan
from planner.rebalance.job import Turn, rebalance_once
from planner.rebalance.reported import ReportedSource
from planner.rebalance.rules import Rules
from planner.service.client import PlanClient
from planner.service.engine_client import EngineClient
from planner.service.fleet_client import FleetClient, Promoted, RolloutState

__all__ = ["Rebalanced"]

STEP_S = 300.0
EVERY_S = 900.0


class _Fleets(FleetClient):
    """A client that says of promotions when they were in the simulated day."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.moments: dict[int, float] = {}
        self.updates: dict[tuple[int, float], float] = {}
        self.now_s: Callable[[], float] = time.time

    def history(self, fleet: str, *, limit: int = 50) -> tuple[Promoted, ...]:
        found = super().history(fleet, limit=limit)
        return tuple(
            dataclasses.replace(one, time_s=self.moments.setdefault(one.sequence, self.now_s()))
            for one in found
        )

    def rollout(self, fleet: str, generation: int | None = None) -> RolloutState | None:
        found = super().rollout(fleet, generation)
        if found is None:
            return None
        seen_s = self.updates.setdefault((found.generation, found.update_s), self.now_s())
        return dataclasses.replace(found, update_s=seen_s, end_s=None if found.end_s is None else seen_s)


class Rebalanced:
    """What a platform team would run.

    Parameters
    ----------
    document
        The fleet document, standing by itself, at the rates of the first hour.
    past
        The traffic of the days before, the last of them yesterday, as it was measured.
    """

    name = "rebalancing job"

    def __init__(
        self, fleet: Fleet, document: str, past: Sequence[Mapping[str, Traffic]], rules: Rules
    ) -> None:
        self.turns: list[dict[str, Any]] = []
        self._fleet = fleet
        self._document = document
        self._past = past
        self._rules = rules
        self._lives: dict[str, Life] = {}
        self._instances: dict[str, Instance] = {}
        self._known: set[str] = set()
        self._down: set[str] = set()
        self._next_s = EVERY_S
        # the day ends now, so that no sample is of the future
        self._epoch_s = time.time() // DAY_S * DAY_S - DAY_S

    def begin(self, world: World) -> None:
        """Start a server, register the fleet, promote a plan for the first hour, report the day before."""
        self._folder = tempfile.TemporaryDirectory()
        self._server = ServerProcess(Path(self._folder.name))
        self._server.start()
        address = self._server.address
        self._fleets, self._plans = _Fleets(address), PlanClient(address)
        self._engines_client = EngineClient(address)
        self._fleets.now_s = lambda: self._epoch_s + world.now_s
        self._fleets.register(self._document, source="the day's fleet")
        self._engines = [
            FakeEngine(self._engines_client, self._fleet.name, pool.node_name(node), self._lives)
            for pool in self._fleet.pools
            for node in range(pool.nodes)
        ]
        name, plan = self._plans.make_plan(self._document, options=PlanOptions(time_limit_s=60.0))
        self._fleets.promote(self._fleet.name, name, reason="the first plan")
        self._know(plan)
        while self._rolling():
            if not self._act(world, at_once=True):
                time.sleep(0.02)
        rates = {
            self._epoch_s - back * DAY_S + end: {w: _rate(traffic, end) for w, traffic in day.items()}
            for back, day in enumerate(reversed(self._past), 1)
            for end in _steps(STEP_S, DAY_S)
        }
        count = {w: sum(i.workload == w for i in plan.instances) for w in self._past[-1]}
        each = {end: {w: rate / count[w] for w, rate in by.items()} for end, by in rates.items()}
        for engine in self._engines:
            engine.recall(each, STEP_S)
        self._source = ReportedSource(self._fleets, self._fleet.name, step_s=STEP_S)

    def tick(self, world: World) -> None:
        """Steps that are due, measurements, news of lost nodes, a turn of the job."""
        for engine in self._engines:
            if engine.node in world.down and engine.node not in self._down:
                engine.fail()
                self._down.add(engine.node)
                self._until_noticed(engine.name)
                self._next_s = min(self._next_s, world.now_s + 60.0)
        self._act(world)
        self._report(world)
        if world.now_s >= self._next_s:
            self._next_s = world.now_s + EVERY_S
            self._turn(world)

    def close(self) -> None:
        """Stop engines and server."""
        for engine in self._engines:
            engine.close()
        self._server.end(signal.SIGTERM)
        self._folder.cleanup()

    # -- the job -------------------------------------------------------------------------------------------

    def _turn(self, world: World) -> None:
        outcome: list[Turn | FulcrumError] = []

        def job() -> None:
            try:
                outcome.append(
                    rebalance_once(
                        self._fleet.name, self._fleets, self._plans, self._source, self._rules,
                        automatic=True, options=PlanOptions(time_limit_s=30.0),
                        now_s=self._epoch_s + world.now_s,
                    )
                )  # fmt: skip
            except FulcrumError as error:
                outcome.append(error)

        began_s, real_s = world.now_s, time.perf_counter()
        thread = threading.Thread(target=job)
        thread.start()
        while thread.is_alive():
            if self._rolling():
                self._act(world)
                world.advance(world.now_s + TICK_S)
                self._report(world)
            thread.join(0.05)
        found = outcome[0]
        record: dict[str, Any] = {"at_h": round(began_s / 3600, 2), "rollout_s": world.now_s - began_s}
        record["real_s"] = round(time.perf_counter() - real_s, 2)
        if isinstance(found, Turn):
            record |= {"decision": found.decision, "moves": len(found.moves), "why": found.reasons[0]}
        else:
            record |= {"decision": "error", "why": str(found)}
        self.turns.append(record)

    def _rolling(self) -> bool:
        rollout = self._fleets.rollout(self._fleet.name)
        if rollout is None or rollout.state != "rolling":
            return False
        if rollout.plan not in self._known:
            self._know(self._plans.get_plan(rollout.plan))
            self._known.add(rollout.plan)
        return True

    def _know(self, plan: Plan) -> None:
        self._instances |= {instance.name: instance for instance in plan.instances}

    def _act(self, world: World, *, at_once: bool = False) -> bool:
        acted = [engine.act(world, self._instances, at_once=at_once) for engine in self._engines]
        return any(acted)

    def _report(self, world: World) -> None:
        if world.now_s % STEP_S < TICK_S:
            for engine in self._engines:
                engine.report(world, self._epoch_s, STEP_S)

    def _until_noticed(self, engine: str) -> None:
        end = time.monotonic() + 30.0
        while time.monotonic() < end:
            states = {one.name: one.state for one in self._fleets.engines(self._fleet.name)}
            if states.get(engine.rpartition("/")[2]) == "lost":
                return
            time.sleep(0.1)
        raise AssertionError(f"{engine} still counts as live half a minute after it fell silent")


def _rate(traffic: Traffic, end_s: float) -> float:
    mine = traffic.between(end_s - STEP_S, end_s)
    return int(mine.stop - mine.start) / STEP_S


def _steps(step_s: float, until_s: float) -> list[float]:
    return [step_s * k for k in range(1, int(until_s / step_s) + 1)]
