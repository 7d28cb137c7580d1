"""What planning saves against common practice, on fleets of `examples/`, two of them with real arrivals.

Whole nodes: every instance takes a whole node (tensor parallel over all its GPUs), mixed, replicas for the
largest demand of the day, kept all day. One GPU type: everything the planner does, on one pool alone, of
which there are as many GPUs as in the whole fleet, by the largest demand too. Both survive the same losses
within the same targets, and both are chosen at least cost by the same solver: the best of their kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.planner_cases.comparison import Comparison
from benchmarks.planner_cases.data_files import data_file
from planner.candidates.candidate import Candidate
from planner.candidates.dominance import undominated
from planner.candidates.enumerate import enumerate_candidates
from planner.clock import Clock
from planner.fleet import Fleet, Pool, read_fleet
from planner.options import PlanOptions
from planner.pipeline import plan_fleet
from planner.plan import Plan
from planner.sizing.problem import SizingProblem
from planner.sizing.solve import solve_sizing
from solvers import SolveOptions

EXAMPLES = Path(__file__).parents[2] / "examples"
FLEETS = {
    "fleet.yaml": None,
    "day.yaml": None,
    "windows.yaml": "traces/azure_llm_2023_conv.csv",
    "long_prompts.yaml": "traces/mooncake_conversation.jsonl",
}
"""Fleets, and a trace where they read some."""
TIME_LIMIT_S = 30.0
MORE_NODES = 4
"""How many times the fleet's GPUs whole nodes may take of each type: they need more than there are."""


def run() -> Comparison:
    """Plan each fleet, then size it as common practice would."""
    measured: dict[str, Any] = {}
    agrees: dict[str, bool] = {}
    for name, base in FLEETS.items():
        fleet = read_fleet(
            (EXAMPLES / name).read_text(encoding="utf-8"),
            source=name,
            base_dir=EXAMPLES if base is None else data_file(base).parent,
        )
        measured[name] = compared(fleet)
        costs = [
            cost for key, cost in measured[name].items() if key.startswith("cost of ") and cost is not None
        ]
        ours = measured[name]["cost an hour"]
        agrees[f"{name}: cheaper than practice"] = ours is not None and all(ours <= c + 1e-9 for c in costs)
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
            "costs are compared before the repair by simulation, which practice is not put through",
        ),
        notes=(
            "costs are of GPUs in use and reserved, an hour, the mean over the periods where there are some",
            "null: that practice cannot serve the demand at all",
        ),
    )


def compared(fleet: Fleet) -> dict[str, Any]:
    """Return the cost of our plan of a fleet, and of practice."""
    plan = _plan(fleet, verify=False)
    verified = _plan(fleet, verify=True)
    ours = plan.cost_per_hour if plan.instances else None
    if plan.schedule is not None:
        hours = len(plan.schedule.periods) * plan.schedule.period_length_s / 3600.0
        ours = plan.schedule.cost / hours
    busiest = _at_the_largest_demand(fleet)
    total = sum(pool.gpus for pool in fleet.pools)
    roomy = replace(busiest, pools=tuple(_grown(pool, MORE_NODES * total) for pool in fleet.pools))
    whole = enumerate_candidates(roomy).accepted
    found: dict[str, Any] = {
        "state": plan.state,
        "cost an hour": ours,
        "gap of the schedule": plan.schedule.gap if plan.schedule is not None else None,
        "cost of whole nodes": _sized(roomy, whole, _takes_a_node(fleet)),
    }
    if verified.verification is not None:
        found["cost an hour, repaired until the simulation agrees"] = verified.cost_per_hour
        found["targets met in simulation"] = verified.verification.met
    for pool in fleet.pools:
        alone = replace(busiest, pools=(_grown(pool, total),))
        candidates = enumerate_candidates(alone).accepted
        found[f"cost of {pool.gpu.name} alone, by the largest demand"] = _sized(
            alone, candidates, lambda _: True
        )
    found["saving"] = {
        key.removeprefix("cost of "): 1.0 - ours / cost
        for key, cost in found.items()
        if key.startswith("cost of ") and cost and ours is not None
    }
    return found


def _plan(fleet: Fleet, *, verify: bool) -> Plan:
    options = PlanOptions(time_limit_s=TIME_LIMIT_S, verify=verify)
    return plan_fleet(fleet, Clock(options=options)).plan


def _grown(pool: Pool, gpus: int) -> Pool:
    """Return the pool with so many GPUs, reserved ones not counted: practice pays by use."""
    nodes = -(-gpus // pool.gpus_per_node)
    return replace(pool, nodes=nodes, unavailable=(), reserved_gpus=0, pool_limit_watts=None)


def _at_the_largest_demand(fleet: Fleet) -> Fleet:
    """Return the fleet with every workload at the largest rate of any period."""
    workloads = tuple(
        replace(w, rate_per_s=max(w.period_rates_per_s, default=w.rate_per_s)) for w in fleet.workloads
    )
    return replace(fleet, workloads=workloads)


def _takes_a_node(fleet: Fleet) -> Callable[[Candidate], bool]:
    return lambda c: (
        c.role == "mixed"
        and c.pipeline_parallel_size == c.expert_parallel_size == 1
        and c.tensor_parallel_size == fleet.pool(c.pool).gpus_per_node
    )


def _sized(
    fleet: Fleet, candidates: Sequence[Candidate], allowed: Callable[[Candidate], bool]
) -> float | None:
    """Least cost an hour with the candidates allowed; None when they cannot serve the demand."""
    chosen = undominated([candidate for candidate in candidates if allowed(candidate)])
    problem = SizingProblem(fleet=replace(fleet, goals=("unserved_demand", "cost")), candidates=tuple(chosen))
    sizing = solve_sizing(problem, SolveOptions(time_limit_s=TIME_LIMIT_S, gap=1e-3))
    if not sizing.tiers or not sizing.covers_demand:
        return None
    return next(tier.value for tier in sizing.tiers if tier.name == "cost")
