"""Several instances on one GPU, from the document to plans, replay, commands and the way to the next plan."""

from __future__ import annotations

from collections import defaultdict

import pytest

from models.document import InvalidDocument
from models.errors import Unsupported
from planner.candidates.enumerate import enumerate_candidates
from planner.export import Options, exporter
from planner.export.vllm import launch_commands
from planner.fleet import read_fleet
from planner.options import PlanOptions
from planner.pipeline import create_plan
from planner.plan import Plan
from planner.transition import replay

FLEET = """\
fleet: sharing
pools: [{name: s, gpu: h100-sxm-80gb, nodes: 2, gpus_per_node: 2, price_per_gpu_hour: 2, share: SHARE}]
models: [{name: a, architecture: llama-3.1-8b, weights: fp8}, {name: b, architecture: qwen3-8b, weights: fp8}]
workloads:
  - {model: a, rate: 4/s, lengths: &l {levels: [0, 1], input_tokens: [100, 900], output_tokens: [10, 200]},
     slo: {ttft_p95: 1s, tpot_p95: 40ms}}
  - {model: b, rate: RATE, lengths: *l, slo: {ttft_p95: 1s, tpot_p95: 40ms}}
policies: {roles: [mixed]}
"""


def text_of(share: str = "{parts: 4, slowdown: 2.5}", rate: str = "2/s") -> str:
    return FLEET.replace("SHARE", share).replace("RATE", rate)


def make(text: str, current: Plan | None = None) -> Plan:
    return create_plan(text, options=PlanOptions(time_limit_s=30.0), current=current)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make(text_of())


def test_small_models_share_a_gpu_and_keep_their_targets(plan: Plan) -> None:
    assert plan.state == "optimal"
    assert [i.stages[0].gpus for i in plan.instances] == [(0,), (1,)]  # two parts of GPU 0
    assert plan.cost_per_hour == pytest.approx(2 * 2.0 / 4)
    assert (plan.pools[0].gpus_used, plan.pools[0].gpu_parts, plan.pools[0].gpus_per_node) == (2, 4, 8)
    assert plan.verification is not None
    assert plan.verification.met
    assert Plan.from_json(plan.to_json()).instances[0].gpu_parts == 4
    assert any("a part costs its share" in note for note in plan.notes)


def test_engines_are_started_on_the_gpu_with_their_part_of_its_memory(plan: Plan) -> None:
    commands = launch_commands(plan)
    assert {command.environment["CUDA_VISIBLE_DEVICES"] for command in commands} == {"0"}
    words = [command.command for command in commands]
    ports = {line[line.index("--port") + 1] for line in words}
    assert len(ports) == len(words) == 2
    assert {line[line.index("--gpu-memory-utilization") + 1] for line in words} == {"0.225"}
    with pytest.raises(Unsupported, match="pods are given whole GPUs"):
        exporter("kubernetes").export(plan, Options())


def test_no_gpu_has_more_instances_than_parts_nor_more_memory_than_it_has() -> None:
    busy = make(text_of(rate="60/s"))
    assert len(busy.instances) > 4
    on: dict[tuple[str, int], list[float]] = defaultdict(list)
    for instance in busy.instances:
        (part,) = instance.stages[0].gpus
        on[instance.stages[0].node, part // 4].append(instance.gpu_memory_utilization)
    assert all(len(each) <= 4 and sum(each) <= 0.9 + 1e-9 for each in on.values())


def test_planning_again_moves_nothing_and_growing_keeps_the_floor(plan: Plan) -> None:
    again = make(text_of(), current=plan)
    assert again.moves == ()
    grown = make(text_of(rate="30/s"), current=plan)
    assert {move.action for move in grown.moves} <= {"start", "move"}
    assert grown.transition is not None
    assert replay(grown.transition, plan.instances, grown.instances) == ()


def test_slower_steps_and_less_memory_carry_less() -> None:
    def rate(share: str) -> float:
        fleet = read_fleet(text_of(share))
        return max(c.capacity_per_s for c in enumerate_candidates(fleet).accepted if c.workload == "a")

    alone = enumerate_candidates(read_fleet(text_of().replace(", share: {parts: 4, slowdown: 2.5}", "")))
    whole = max(c.capacity_per_s for c in alone.accepted if c.workload == "a" and c.gpus == 1)
    half, slow = rate("{parts: 2, slowdown: 1}"), rate("{parts: 2, slowdown: 2}")
    assert half <= whole
    # twice as slow is at most half the rate, and less where latency binds: all times count double
    assert slow <= half / 2 * (1 + 1e-6)
    assert rate("{parts: 2}") == slow  # unstated: they take turns


def test_what_does_not_fit_a_part_says_so() -> None:
    fleet = read_fleet(text_of("{parts: 16, models: [a]}"))
    refused = enumerate_candidates(fleet).refused
    single = [
        r for r in refused if r.workload == "a" and r.tensor_parallel_size * r.pipeline_parallel_size == 1
    ]
    assert {r.limit for r in single} == {"memory"}
    assert any("shared by 16 instances of one GPU each" in r.reason for r in refused)
    assert any(
        "not one of the models that share the GPUs of s" in r.reason for r in refused if r.workload == "b"
    )


@pytest.mark.parametrize(
    ("share", "said"),
    [
        ("{parts: 1}", "must be at least 2"),
        ("{parts: 4, slowdown: 0.5}", "must be at least 1"),
        ("{parts: 4, models: [c]}", "unknown model"),
        ("{part: 4}", "did you mean 'parts'"),
    ],
)
def test_mistakes_are_located(share: str, said: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_fleet(text_of(share))
    assert said in str(caught.value)


def test_an_instance_on_a_part_does_not_go_on_as_one_on_a_whole_gpu(plan: Plan) -> None:
    whole = make(text_of().replace(", share: {parts: 4, slowdown: 2.5}", ""), current=plan)
    assert all(instance.gpu_parts == 1 for instance in whole.instances)
    assert {move.action for move in whole.moves} == {"start", "stop"}
