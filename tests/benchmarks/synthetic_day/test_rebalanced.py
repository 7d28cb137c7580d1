"""Real server, real job, fake engines: a node that fails is planned around, its instances run elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.day import _model
from benchmarks.synthetic_day.policies import run_day
from benchmarks.synthetic_day.rebalanced import Rebalanced
from benchmarks.synthetic_day.traffic import DAY_S, Traffic
from benchmarks.synthetic_day.world import World
from planner.fleet import read_fleet
from planner.rebalance.rules import Rules

EXAMPLES = Path(__file__).parents[3] / "examples"
NODE = "h100/r0/n0"
DOCUMENT = """
fleet: small
pools: [{name: h100, gpu: h100, nodes: 3, gpus_per_node: 2, price_per_gpu_hour: 2.0}]
models: [{name: chat, architecture: llama-3.1-8b, weights: fp8, kv_cache: fp8}]
workloads: [{model: chat, rate: 5/s, lengths: azure_2023_conv.yaml, slo: {ttft_p95: 1s, tpot_p95: 30ms}}]
policies: {roles: [mixed], survive: {loss_of: node}, parallelism: {tensor: [1], pipeline: [1]}}
"""


def traffic(seconds, rate, seed):
    random = np.random.default_rng(seed)
    count = int(seconds * rate)
    return Traffic(
        sent_s=np.sort(random.random(count)) * seconds,
        input_tokens=random.integers(100, 1500, count),
        output_tokens=random.integers(1, 300, count),
    )


@pytest.mark.slow
def test_what_a_failed_node_ran_is_promoted_elsewhere_and_started():
    fleet = read_fleet(DOCUMENT, base_dir=EXAMPLES)
    world = World(fleet, {"chat": traffic(1800.0, 5.0, 1)}, lambda i: _model(fleet, i), seed=1)
    past = [{"chat": traffic(DAY_S, 5.0, 2)}]
    job = Rebalanced(fleet, fleet.self_contained, past, Rules(min_saving=0.5))
    try:
        run_day(world, job, [(600.0, NODE)], 1800.0)
    finally:
        job.close()
    promoted = [turn for turn in job.turns if turn["decision"] == "promoted"]
    assert promoted, job.turns
    assert f"node {NODE} is lost" in promoted[0]["why"]
    started = [life for life in world.lives if life.began_s > 600.0]
    assert started
    assert all(life.instance.stages[0].node != NODE and life.serves_s < 1800.0 for life in started)
    assert world.score("chat").attainment > 0.9
