"""Rollouts go on where engines are gone, and nobody counts as gone too early."""

from __future__ import annotations

import asyncio

import pytest

from planner.plan import Expectation, Instance, Plan, Stage
from planner.service.async_store import AsyncStore
from planner.service.engine_keeper import EngineKeeper
from planner.service.rollouts import Rollouts
from planner.store.database import Database
from planner.store.fleets import FleetStore
from planner.store.plans import PlanStore
from planner.store.records import NewPlan, PlanState, RolloutState


def plan_on(node: int) -> Plan:
    """One instance over two nodes, the second being `node`."""
    instance = Instance(
        name="chat-mixed-0", workload="chat", model="chat", role="mixed", repository="a/b", engine="vllm",
        pool="h100", gpu="h100-sxm-80gb", tensor_parallel_size=2, pipeline_parallel_size=2, weights="fp8",
        checkpoint="fp8", kv_cache="fp8", max_num_seqs=64, max_num_batched_tokens=2048, max_model_len=8192,
        gpu_memory_utilization=0.9, price_per_hour=10.0, basis="datasheet",
        stages=(Stage("h100/r0/n0", (0, 1)), Stage(f"h100/r1/n{node}", (4, 5))),
        expected=Expectation(rate_per_s=1.5, capacity_per_s=2.0, ttft_ms=4.0, tpot_ms=3.0, concurrency=1.0),
    )  # fmt: skip
    return Plan(
        fulcrum_version="0", fleet="demo", fleet_digest="", seed=0, state="optimal", cost_per_hour=10.0,
        instances=(instance,), workloads=(), pools=(), objectives=(), moves=(), basis=(),
    )  # fmt: skip


class Clocks:
    """Both clocks of a machine."""

    def __init__(self) -> None:
        self.monotonic, self.wall = 1000.0, 5e9

    def advance(self, seconds: float, *, jump: float = 0.0) -> None:
        self.monotonic += seconds
        self.wall += seconds + jump


class World:
    """A fleet in the middle of a rollout: the instance of the first plan goes, that of the second comes."""

    def __init__(self, path: str, clocks: Clocks) -> None:
        self.clocks = clocks
        database = Database(path)
        plans = PlanStore(database, lambda: round(clocks.wall * 1e6))
        self.store = AsyncStore(plans)
        self.rollouts = Rollouts(self.store)
        self.rollouts.engine_store._clock = plans._clock
        fleets = FleetStore(database, plans._clock)
        fleets.register("a", "demo", "fleet: demo")
        for node in (2, 3):
            record, _ = plans.add(NewPlan(tenant="a", fleet="demo", document="fleet: demo"))
            plans.claim("w", 10.0)
            text = plan_on(node).to_json()
            plans.finish(record.id, "w", PlanState.OPTIMAL, result_json=text)
            new = self.rollouts._prepare("a", "demo", record.id)
            fleets.promote("a", "demo", record.id, caller="c", rollout=new)
            if node == 2:
                self.obey(1, lambda step: True)
        self.obey(2, lambda step: step.kind in ("load", "switch"))
        self.keeper = EngineKeeper(
            self.rollouts, settle_s=60.0, wall_us=plans._clock, monotonic_s=lambda: clocks.monotonic
        )
        self.keeper._distrust()  # as `start` does

    def obey(self, generation: int, wanted) -> None:
        """Acknowledge what is open and wanted, until nothing is."""
        going = True
        while going:
            going = False
            _, progress = self.rollouts.store.get("a", "demo")
            for node in ("h100/r0/n0", "h100/r1/n2", "h100/r1/n3"):
                for step in progress.to_do(node):
                    if wanted(step):
                        self.rollouts.store.acknowledge(
                            "a", "demo", generation=generation, step=step.index, node=node, gpus=(),
                            outcome="done", engine="e",
                        )  # fmt: skip
                        going = True

    def register(self, node: str) -> None:
        self.rollouts.engine_store.register(
            "a", "demo", node.replace("/", "-"), node=node, gpus=(), lease_us=30_000_000,
            facts_json='{"gpu_indices": [], "address": ""}',
        )  # fmt: skip

    def done(self) -> int:
        return self.rollouts.store.get("a", "demo")[1].states.count("done")


@pytest.fixture
def world(tmp_path):
    made = World(str(tmp_path / "plans.sqlite"), Clocks())
    yield made
    made.store.close()


async def look(world: World, times: int = 1) -> None:
    for _ in range(times):
        await world.keeper.look()


def test_where_no_engine_is_left_what_is_to_stop_has_stopped(world) -> None:
    before = world.done()
    world.clocks.advance(59.0)
    asyncio.run(look(world))
    assert world.done() == before  # this server may have been deaf until now
    world.clocks.advance(2.0)
    asyncio.run(look(world, 6))
    record, progress = world.rollouts.store.get("a", "demo")
    stops = [
        state
        for step, state in zip(progress.body.steps, progress.states, strict=True)
        if step.kind in ("drain", "migrate", "retire") and step.instance == "chat-mixed-0@1"
    ]
    assert stops == ["done"] * len(stops) != []
    assert record.state is RolloutState.ROLLING  # what is to start waits for someone to start it


def test_a_live_engine_is_waited_for(world) -> None:
    before = world.done()
    world.clocks.advance(61.0)
    for node in ("h100/r0/n0", "h100/r1/n2", "h100/r1/n3"):
        world.register(node)
    asyncio.run(look(world, 3))
    assert world.done() == before


def test_a_jump_of_the_wall_clock_loses_nobody(world) -> None:
    for node in ("h100/r0/n0", "h100/r1/n2", "h100/r1/n3"):
        world.register(node)
    before = world.done()
    world.clocks.advance(61.0, jump=3600.0)  # all leases seem to have expired
    asyncio.run(look(world, 3))
    assert world.done() == before
