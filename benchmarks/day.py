"""``python -m benchmarks day``: a synthetic day with two node failures and a spike, run in three ways.

The rebalancing job against a real server, with fake engines that speak EngineService before the
discrete-event simulator; a plan for the peak that never changes; and replicas that follow the load. Same
requests, same failures. Only the clock is not real.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine_record
from benchmarks.synthetic_day.policies import Policy, Replicas, StaticPeak, run_day
from benchmarks.synthetic_day.rebalanced import Rebalanced
from benchmarks.synthetic_day.traffic import Shape, Spike, Traffic, make_day
from benchmarks.synthetic_day.world import World
from models.serving import Configuration, InstanceModel, engine
from models.workload import read_trace
from planner.fleet import Fleet, read_fleet
from planner.fleet.speeds import LOCAL_DISK
from planner.options import PlanOptions
from planner.pipeline import create_plan
from planner.plan import Instance, Plan
from planner.rebalance.rules import Rules
from planner.transition.sizes import loaded_bytes, parallelism

EXAMPLES = Path(__file__).parents[1] / "examples"
DATA = Path(os.environ.get("FULCRUM_DATA", Path(__file__).parents[2] / "shared" / "data"))
TRACES = {"chat": "azure_llm_2023_conv.csv", "code": "azure_llm_2023_code.csv"}
SHAPES = {
    "chat": Shape(mean_per_s=14.0, peak_h=20.0, swing=0.7),
    "code": Shape(mean_per_s=10.0, peak_h=11.0, swing=0.85),
}
PAST_DAYS = 6
RULES = Rules(min_saving=0.15, cooldown_s=3600.0, confidence=0.9)
SPIKE = Spike(start_s=15.5 * 3600, end_s=16.5 * 3600, factor=1.6)
FAILURES = ((9.25 * 3600, "h100/r0/n0"), (20.25 * 3600, "h200/r0/n0"))

FLEET = """
fleet: day
pools:
  - {name: h100, gpu: h100-sxm-80gb, nodes: 8, gpus_per_node: 8, price_per_gpu_hour: 2.50}
  - {name: h200, gpu: h200-sxm-141gb, nodes: 4, gpus_per_node: 8, price_per_gpu_hour: 3.20}
models:
  - {name: chat, architecture: llama-3.1-70b, weights: fp8, kv_cache: fp8}
  - {name: code, architecture: qwen3-32b, weights: fp8, kv_cache: fp8}
workloads:
  - {model: chat, rate: CHAT/s, lengths: azure_2023_conv.yaml, slo: {ttft_p95: 2s, tpot_p95: 50ms}}
  - {model: code, rate: CODE/s, lengths: azure_2023_code.yaml, slo: {ttft_p95: 3s, tpot_p95: 60ms}}
policies:
  headroom: 10%
  survive: {loss_of: node}
  roles: [mixed]
"""


def document(rates: Mapping[str, float]) -> str:
    """The fleet document at the given rates."""
    return FLEET.replace("CHAT", f"{rates['chat']:.3f}").replace("CODE", f"{rates['code']:.3f}")


def planned(rates: Mapping[str, float]) -> Plan:
    """The plan for the given rates, by the whole pipeline."""
    plan = create_plan(document(rates), base_dir=EXAMPLES, options=PlanOptions(time_limit_s=60.0))
    assert plan.instances, plan.diagnosis
    return plan


def busiest_per_s(traffic: Traffic, window_s: float) -> float:
    """The largest rate of any window."""
    counts = np.bincount((traffic.sent_s // window_s).astype(np.int64))
    return float(counts.max()) / window_s


def main(arguments: Sequence[str]) -> int:
    """Run the day in each way and print one JSON line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks day", description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["static", "replicas", "rebalanced"])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    traces = {name: read_trace(DATA / "traces" / file) for name, file in TRACES.items()}
    traffic = make_day(SHAPES, traces, [SPIKE], seed=options.seed)
    fleet = read_fleet(document(dict.fromkeys(SHAPES, 1.0)), base_dir=EXAMPLES)
    past = [make_day(SHAPES, traces, [], seed=options.seed + 1000 + day) for day in range(PAST_DAYS)]
    peak = planned({name: busiest_per_s(day, 300.0) for name, day in past[-1].items()})
    results = {}
    for name in [options.only] if options.only else ["static", "replicas", "rebalanced"]:
        began = time.perf_counter()
        world = World(fleet, traffic, lambda instance: _model(fleet, instance), seed=options.seed)
        policy = _policy(name, fleet, peak, past)
        try:
            run_day(world, policy, FAILURES, options.hours * 3600)
        finally:
            policy.close()
        results[name] = {**_reckoning(world), "seconds": round(time.perf_counter() - began, 1)}
        if isinstance(policy, Rebalanced):
            results[name]["turns"] = policy.turns
        print(json.dumps({name: results[name]}))
    out = {
        "command": f"python -m benchmarks day --seed {options.seed} --hours {options.hours:g}",
        "machine": machine_record("highspy", "numpy", "numba"),
        "label": "synthetic day: real lengths and bursts of minutes; invented daily shape, spike, failures",
        "seed": options.seed,
        "requests": {name: int(t.sent_s.size) for name, t in traffic.items()},
        "ways": results,
    }
    if options.out:
        options.out.write_text(json.dumps(out, indent=1) + "\n")
    return 0


def _policy(name: str, fleet: Fleet, peak: Plan, past: Sequence[Mapping[str, Traffic]]) -> Policy:
    if name == "static":
        return StaticPeak(peak, lambda instance: _start_s(fleet, instance))
    if name == "replicas":
        shapes: dict[str, Instance] = {}
        for workload in fleet.workloads:
            mine = [i for i in peak.instances if i.workload == workload.name]
            shapes[workload.name] = max(mine, key=lambda i: sum(j.shape == i.shape for j in mine))
        return Replicas(shapes, lambda instance: _start_s(fleet, instance), drain_s=120.0)
    first = {
        w: (day.between(0, 3600).stop - day.between(0, 3600).start) / 3600 for w, day in past[-1].items()
    }
    whole = read_fleet(document(first), base_dir=EXAMPLES).self_contained
    return Rebalanced(fleet, whole, past, RULES)


def _model(fleet: Fleet, instance: Instance) -> InstanceModel:
    model, pool = fleet.model(instance.model), fleet.pool(instance.pool)
    return InstanceModel.of(
        Configuration(
            architecture=model.architecture,
            gpu=pool.gpu,
            parallelism=parallelism(instance),
            role=instance.role,
            engine=engine(instance.engine),
            weights=instance.weights,
            kv_cache=instance.kv_cache,
            max_num_seqs=instance.max_num_seqs,
            max_num_batched_tokens=instance.max_num_batched_tokens,
        )
    )


def _start_s(fleet: Fleet, instance: Instance) -> float:
    """Weights from the disks of a node, then the start of the engine: what transitions assume too."""
    weights = loaded_bytes(fleet.model(instance.model).architecture, instance)
    return weights / LOCAL_DISK.bandwidth_bytes_per_s + fleet.policies.speeds.start_s


def _reckoning(world: World) -> dict[str, Any]:
    hours = world.gpu_hours()
    return {
        "gpu_hours": round(sum(hours.values()), 1),
        "gpu_hours_by_type": {gpu: round(h, 1) for gpu, h in hours.items()},
        "cost": round(world.cost(), 2),
        "workloads": {name: _rounded(asdict(world.score(name))) for name in world.traffic},
    }


def _rounded(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: round(value, 5) if isinstance(value, float) else value for key, value in record.items()}
