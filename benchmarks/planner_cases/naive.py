"""What planning saves against common practice, on fleets of `examples/`, two of them with real arrivals.

Whole nodes: every instance takes a whole node (tensor parallel over all its GPUs), mixed, replicas for the
largest demand of the day, kept all day. One GPU type: everything the planner does, on one pool alone, of
which there are as many GPUs as in the whole fleet, by the largest demand too. Both survive the same losses
within the same targets, both are chosen at least cost by the same solver, and both are repaired until the
simulation agrees, as ours is: the best of their kind.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.planner_cases.comparison import Comparison
from benchmarks.planner_cases.data_files import data_file
from models.workload import Trace
from planner.clock import Clock
from planner.fleet import Fleet, Pool, read_fleet
from planner.fleet.fleet import Forbidden, Parallelism, ServedWorkload
from planner.fleet.recorded import Recorded
from planner.options import PlanOptions
from planner.pipeline import plan_fleet
from planner.plan import Plan

EXAMPLES = Path(__file__).parents[2] / "examples"
FLEETS = {
    "fleet.yaml": None,
    "day.yaml": None,
    "windows.yaml": "traces/azure_llm_2023_conv.csv",
    "long_prompts.yaml": "traces/mooncake_conversation.jsonl",
}
"""Fleets, and a trace where they read some."""
TIME_LIMIT_S = 120.0
"""Of each plan with its repairs; most take a few seconds."""
MORE_NODES = 4
"""How many times the fleet's GPUs whole nodes may take of each type: they need more than there are."""


def run() -> Comparison:
    """Plan each fleet, then as common practice would."""
    measured = {name: compared(_read(name, base)) for name, base in FLEETS.items()}
    agrees: dict[str, bool] = {}
    for name, found in measured.items():
        ours = found["ours"]
        costs = [each["cost an hour"] for each in found["practice"].values()]
        agrees[f"{name}: targets met in simulation"] = ours["met"]
        agrees[f"{name}: cheaper than practice"] = ours["cost an hour"] is not None and all(
            cost is None or ours["cost an hour"] <= cost + 1e-9 for cost in costs
        )
    return Comparison(
        case="naive",
        source="common practice; no published figures",
        published={},
        measured=measured,
        agrees=agrees,
        assumed=(
            "practice keeps the replicas of the largest demand all day; our counts follow the periods",
            "one GPU type has as many GPUs as the whole fleet, at their price",
            f"whole nodes may take {MORE_NODES} times the GPUs of the fleet of each type",
        ),
        notes=(
            "every cost is of a plan repaired until the simulation agrees; of ours the placed period is "
            "simulated, and all periods are sized with what that taught",
            "costs are of GPUs in use and reserved, an hour, the mean over the periods where there are some",
            "null: that practice cannot serve the demand at all",
        ),
    )


def _read(name: str, base: str | None) -> Fleet:
    return read_fleet(
        (EXAMPLES / name).read_text(encoding="utf-8"),
        source=name,
        base_dir=EXAMPLES if base is None else data_file(base).parent,
    )


def compared(fleet: Fleet) -> dict[str, Any]:
    """Return our plan of a fleet in figures, practice's, and what is saved."""
    ours = _figures(_plan(fleet))
    busiest = _at_the_largest_demand(fleet)
    total = sum(pool.gpus for pool in fleet.pools)
    practice = {"whole nodes": _figures(_plan(_whole_nodes(busiest, MORE_NODES * total)))}
    for pool in fleet.pools:
        alone = replace(busiest, pools=(_grown(pool, total),))
        practice[f"{pool.gpu.name} alone"] = _figures(_plan(alone))
    cost = ours["cost an hour"]
    return {
        "ours": ours,
        "practice": practice,
        "saving": {
            name: 1.0 - cost / each["cost an hour"]
            for name, each in practice.items()
            if each["cost an hour"] and cost is not None
        },
    }


def _plan(fleet: Fleet) -> Plan:
    return plan_fleet(fleet, Clock(options=PlanOptions(time_limit_s=TIME_LIMIT_S))).plan


def _figures(plan: Plan) -> dict[str, Any]:
    """Cost of a plan, whether it holds in simulation and with which arrivals, and what it runs."""
    if not plan.instances or plan.verification is None:
        return {"state": plan.state, "cost an hour": None, "met": None}
    cost, gap = plan.cost_per_hour, None
    if plan.schedule is not None:
        cost = plan.schedule.cost / (len(plan.schedule.periods) * plan.schedule.period_length_s / 3600.0)
        gap = plan.schedule.gap
    kinds = [f"{i.workload} {i.role} TP{i.tensor_parallel_size} on {i.pool}" for i in plan.instances]
    return {
        "state": plan.state,
        "cost an hour": cost,
        "gap of the schedule": gap,
        "met": plan.verification.met,
        "arrivals": plan.verification.arrivals,
        "corrections": list(plan.verification.corrections),
        "worst attainment": min(replayed.attainment for replayed in plan.verification.replays),
        "placed": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
    }


def _grown(pool: Pool, gpus: int) -> Pool:
    """Return the pool with so many GPUs, and no power limit of the whole."""
    return replace(pool, nodes=-(-gpus // pool.gpus_per_node), unavailable=(), pool_limit_watts=None)


def _at_the_largest_demand(fleet: Fleet) -> Fleet:
    """Return the fleet with every workload at the largest rate of any period, for ever."""
    return replace(fleet, periods=None, workloads=tuple(map(_at_its_peak, fleet.workloads)))


def _at_its_peak(workload: ServedWorkload) -> ServedWorkload:
    """The workload in its busiest period, with what was recorded in it."""
    if not workload.period_rates_per_s:
        return workload
    busiest = int(np.argmax(workload.period_rates_per_s))
    part = None if workload.recorded is None else workload.recorded.part(busiest)
    recorded = None
    if part is not None:
        requests = Trace(
            arrivals_s=part.arrivals_s,
            input_tokens=part.input_tokens,
            output_tokens=part.output_tokens,
            source=workload.lengths_source,
        )
        recorded = Recorded(trace=requests, rates_per_s=(part.rate_per_s,))
    rate = workload.period_rates_per_s[busiest]
    return replace(workload, rate_per_s=rate, period_rates_per_s=(), recorded=recorded)


def _whole_nodes(fleet: Fleet, gpus: int) -> Fleet:
    """Return the fleet with so many GPUs of each type and every instance on a node of its own."""
    sizes = sorted({pool.gpus_per_node for pool in fleet.pools})
    parallelism = Parallelism(
        tensor=tuple(sizes),
        pipeline=(1,),
        expert=(1,),
        forbidden=tuple(
            Forbidden(pool=pool.name, tensor=size)
            for pool in fleet.pools
            for size in sizes
            if size != pool.gpus_per_node
        ),
    )
    return replace(
        fleet,
        pools=tuple(_grown(pool, gpus) for pool in fleet.pools),
        policies=replace(fleet.policies, roles=("mixed",), parallelism=parallelism),
    )
