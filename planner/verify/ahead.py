"""Simulations of a replay run ahead, elsewhere: each workload's is a task of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.candidates.candidate import Candidate
from planner.executors import Context, Executor, values_of
from planner.fleet.fleet import Fleet
from planner.verify.group import Latencies
from planner.verify.replay import Replayer

__all__ = ["Simulation", "simulate_all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """One instance at one rate, for so many requests of its workload, drawn or recorded."""

    candidate: Candidate
    rate_per_s: float
    count: int
    recorded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """Simulations of one workload; the fleet holds no other."""

    fleet: Fleet
    seed: int
    simulations: tuple[Simulation, ...]


def simulate_all(
    simulations: Sequence[Simulation], fleet: Fleet, seed: int, executor: Executor
) -> dict[Simulation, Latencies | None]:
    """What the requests of each simulation see; None where the instance cannot hold one of them."""
    by_workload: dict[str, list[Simulation]] = {}
    for simulation in dict.fromkeys(simulations):
        by_workload.setdefault(simulation.candidate.workload, []).append(simulation)
    tasks = [
        _Task(fleet=_narrowed(fleet, name, mine), seed=seed, simulations=tuple(mine))
        for name, mine in by_workload.items()
    ]
    found: dict[Simulation, Latencies | None] = {}
    for task, seen in zip(tasks, values_of(executor.map(_simulate, tasks)), strict=True):
        found.update(zip(task.simulations, seen, strict=True))
    return found


def _simulate(task: _Task, _: Context) -> list[Latencies | None]:
    """In a worker: the same requests for every simulation of as many, as in `Replayer`."""
    replayer = Replayer(fleet=task.fleet, seed=task.seed)
    return [
        replayer.latencies(one.candidate, one.rate_per_s, one.count, recorded=one.recorded)
        for one in task.simulations
    ]


def _narrowed(fleet: Fleet, workload: str, simulations: Sequence[Simulation]) -> Fleet:
    """What the simulations of a workload read of a fleet: a large one is not sent a hundred times."""
    pools = {one.candidate.pool for one in simulations}
    models = {one.candidate.model for one in simulations}
    return replace(
        fleet,
        pools=tuple(pool for pool in fleet.pools if pool.name in pools),
        models=tuple(model for model in fleet.models if model.name in models),
        workloads=(fleet.workload(workload),),
        self_contained="",
    )
