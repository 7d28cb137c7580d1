from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.day import _model, _start_s
from benchmarks.synthetic_day.policies import Replicas, StaticPeak, first_fit, run_day, settle
from benchmarks.synthetic_day.traffic import Traffic
from benchmarks.synthetic_day.world import World
from planner.fleet import read_fleet
from planner.options import PlanOptions
from planner.pipeline import create_plan

EXAMPLES = Path(__file__).parents[3] / "examples"
DOCUMENT = """
fleet: small
pools: [{name: h100, gpu: h100, nodes: 3, gpus_per_node: 2, price_per_gpu_hour: 2.0}]
models: [{name: chat, architecture: llama-3.1-8b, weights: fp8, kv_cache: fp8}]
workloads: [{model: chat, rate: 10/s, lengths: azure_2023_conv.yaml, slo: {ttft_p95: 1s, tpot_p95: 30ms}}]
policies: {roles: [mixed], survive: {loss_of: node}}
"""


@pytest.fixture(scope="module")
def fleet():
    return read_fleet(DOCUMENT, base_dir=EXAMPLES)


@pytest.fixture(scope="module")
def plan():
    return create_plan(DOCUMENT, base_dir=EXAMPLES, options=PlanOptions(verify=False))


def world_of(fleet, seconds=1200.0, rate=10.0):
    random = np.random.default_rng(0)
    count = int(seconds * rate)
    traffic = Traffic(
        sent_s=np.sort(random.random(count)) * seconds,
        input_tokens=random.integers(100, 1500, count),
        output_tokens=random.integers(1, 300, count),
    )
    return World(fleet, {"chat": traffic}, lambda instance: _model(fleet, instance), seed=1)


def test_every_request_is_sent_once_and_served(fleet, plan):
    world = world_of(fleet)
    settle(world, plan)
    world.advance(400.0)
    world.advance(1200.0)
    sent = np.sort(np.concatenate([i for life in world.lives for _, i in life.requests]))
    assert np.array_equal(sent, np.arange(12_000))
    score = world.score("chat")
    assert score.requests == 12_000
    assert score.refused == score.sent_again == 0
    assert score.attainment > 0.95
    gpus = sum(life.instance.gpu_count for life in world.lives)
    assert sum(world.gpu_hours().values()) == pytest.approx(gpus * 1200 / 3600)
    assert world.cost() == pytest.approx(plan.cost_per_hour / 3)


def test_what_a_failed_node_had_is_sent_again_and_counts_from_the_first_time(fleet, plan):
    world = world_of(fleet)
    settle(world, plan)
    world.advance(600.0)
    world.fail(world.lives[0].instance.stages[0].node)
    world.advance(1200.0)
    score = world.score("chat")
    assert score.sent_again > 0
    assert score.refused == 0
    lost = world.lives[0]
    assert all(times.max() < lost.failed_s + 10.0 for times, _ in lost.requests)
    assert score.attainment < 1.0


def test_a_static_plan_starts_what_was_lost_elsewhere(fleet, plan):
    world = world_of(fleet)
    node = plan.instances[0].stages[0].node
    run_day(world, StaticPeak(plan, lambda i: _start_s(fleet, i)), [(300.0, node)], 1200.0)
    again = [life for life in world.lives if life.key.endswith("'")]
    assert again
    assert all(life.instance.stages[0].node != node for life in again)
    assert all(life.serves_s >= 300.0 + 60.0 + 60.0 for life in again)


def test_replicas_follow_the_load_and_wait_before_they_shrink(fleet, plan):
    world = world_of(fleet, rate=60.0)
    shape = plan.instances[0]
    run_day(world, Replicas({"chat": shape}, lambda i: 30.0, drain_s=60.0), [], 1800.0)
    alive = [sum(life.began_s <= t < life.ended_s for life in world.lives) for t in (0.0, 1000.0, 1790.0)]
    assert alive[0] == alive[1] > 1
    assert alive[2] == 1
    assert min(life.until_s for life in world.lives) >= 1200.0 + 300.0


def test_first_fit_finds_room_or_says_that_there_is_none(fleet, plan):
    world = world_of(fleet)
    found = [first_fit(world, plan.instances[0], "a")]
    while found[-1] is not None:
        world.start(found[-1].name, found[-1])
        found.append(first_fit(world, plan.instances[0], f"a{len(found)}"))
    assert len(world.taken()) == (len(found) - 1) * plan.instances[0].gpu_count
    assert len(world.taken()) > 6 - plan.instances[0].gpu_count
