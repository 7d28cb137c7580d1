"""Models with experts, from the fleet document to launch commands, beside dense models."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import replace

import pytest

from planner.candidates.enumerate import Candidates, enumerate_candidates, instance_model
from planner.capacity import Question, answer
from planner.capacity.question import fixed_lengths
from planner.capacity.ways import ways_for_gpus
from planner.export import export
from planner.fleet import Fleet, read_fleet
from planner.pipeline import create_plan
from planner.plan import Plan
from planner.plan.check import check_plan
from planner.plan.moves import moves_between

DOCUMENT = """\
fleet: experts
pools: [{name: a, gpu: h200-sxm-141gb, nodes: 3, gpus_per_node: 8, price_per_gpu_hour: 3}]
models:
  - {name: sparse, architecture: deepseek-v3, weights: fp8_block}
  - {name: dense, architecture: llama-3.1-8b}
workloads:
  - model: sparse
    rate: 6/s
    lengths: {levels: [0, 1], input_tokens: [500, 1500], output_tokens: [100, 300]}
    slo: {ttft_p95: 3s, tpot_p95: 80ms}
  - model: dense
    rate: 10/s
    lengths: {levels: [0, 1], input_tokens: [100, 300], output_tokens: [10, 50]}
    slo: {ttft_p95: 1s, tpot_p95: 40ms}
policies:
  roles: [mixed]
  parallelism: {data: [1, 2, 4]}
"""


def document(parallelism: str) -> str:
    return DOCUMENT.replace("{data: [1, 2, 4]}", parallelism)


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return read_fleet(DOCUMENT)


@pytest.fixture(scope="module")
def found(fleet: Fleet) -> Candidates:
    return enumerate_candidates(fleet)


def test_only_models_with_experts_get_them(found: Candidates) -> None:
    ways = [
        (
            w.workload,
            w.tensor_parallel_size,
            w.pipeline_parallel_size,
            w.data_parallel_size,
            w.expert_parallel_size,
        )
        for w in (*found.accepted, *found.refused)
    ]
    assert len(ways) == len(set(ways))
    counts = Counter(workload for workload, *_ in ways)
    assert counts["dense"] == 4 * 2
    # with and without expert parallelism, which one GPU alone has no use for
    assert counts["sparse"] == 2 * (2 * 4 * 3 - 1)
    assert all(dp == ep == 1 for workload, _, _, dp, ep in ways if workload == "dense")
    assert all(ep in (1, tp * dp) for _, tp, _, dp, ep in ways)


def test_replicas_of_an_instance_share_a_node(fleet: Fleet, found: Candidates) -> None:
    sparse = [c for c in found.accepted if c.workload == "sparse"]
    assert {c.expert_parallel_size for c in sparse} == {1, 4, 8}
    assert max(c.data_parallel_size for c in sparse) > 1
    for c in sparse:
        assert c.gpus == c.tensor_parallel_size * c.pipeline_parallel_size * c.data_parallel_size
        assert c.data_parallel_size == 1 or (c.groups, c.pipeline_parallel_size) == (1, 1)
        assert c.price_per_hour == 3 * c.gpus
        # the model that is replayed is the one that was priced
        cut = instance_model(fleet, c).configuration.parallelism
        assert (cut.gpus, cut.expert_parallel_size) == (c.gpus, c.expert_parallel_size)
    reasons = {(r.limit, r.reason) for r in found.refused if r.data_parallel_size > 1}
    assert ("node", "a tensor-parallel group of 8 in 2 replicas does not fit a node of 8 GPUs") in reasons
    assert any(limit == "shape" and "without pipeline stages" in reason for limit, reason in reasons)


def test_more_ways_never_serve_less(found: Candidates) -> None:
    """What 8 GPUs carry with all ways is no less than with those that share nothing, and here it is more."""
    mine = [c for c in found.accepted if c.workload == "sparse"]
    plain = [c for c in mine if c.data_parallel_size == c.expert_parallel_size == 1]
    with_all, without = ways_for_gpus(mine, 8)[0], ways_for_gpus(plain, 8)[0]
    assert with_all.capacity_per_s >= without.capacity_per_s


def planned(text: str, current: Plan | None = None) -> Plan:
    plan = create_plan(text, current=current)
    check_plan(read_fleet(text), plan)
    assert plan.state == "optimal"
    assert plan.verification is not None
    assert plan.verification.met
    return plan


@pytest.mark.parametrize(
    ("parallelism", "label", "flags"),
    [
        (
            "{tensor: [1, 4], pipeline: [1], data: [2], expert: [8]}",
            (4, 2, 8),
            {"--tensor-parallel-size": "4", "--data-parallel-size": "2", "--max-num-seqs": "128"},
        ),
        (
            "{tensor: [1, 8], pipeline: [1], expert: [8]}",
            (8, 1, 8),
            {"--tensor-parallel-size": "8", "--max-num-seqs": "256"},
        ),
    ],
)
def test_planned_checked_and_started(
    parallelism: str, label: tuple[int, int, int], flags: dict[str, str]
) -> None:
    plan = planned(document(parallelism))
    sparse, *more = [i for i in plan.instances if i.workload == "sparse"]
    assert all(i.stages[0].gpus == tuple(range(8)) for i in more)
    assert (sparse.tensor_parallel_size, sparse.data_parallel_size, sparse.expert_parallel_size) == label
    (stage,) = sparse.stages
    assert stage.gpus == tuple(range(8))
    assert Plan.from_json(plan.to_json()).to_json() == plan.to_json()

    block = next(b for b in export(plan, "vllm").split("\n\n") if "deepseek" in b)
    words = shlex.split(block.split("\n", 1)[1].replace("\\\n", " "))
    assert "--enable-expert-parallel" in words
    assert {name: words[words.index(name) + 1] for name in flags} == flags
    assert ("--data-parallel-size" in words) == (label[1] > 1)

    # other degrees are another kind of instance: it stops, and one starts
    fewer = replace(sparse, expert_parallel_size=1)
    assert [m.action for m in moves_between((sparse,), (fewer,))] == ["stop", "start"]


def test_a_plan_goes_on_from_one_that_runs() -> None:
    text = document("{tensor: [1, 4], pipeline: [1], data: [2], expert: [8]}")
    assert planned(text, current=planned(text)).moves == ()


def test_capacity_compares_ways_with_experts_apart() -> None:
    question = Question(
        model="deepseek-v3", gpus=("h200",), workload={"lengths": fixed_lengths(1000, 200)},
        slo={"ttft_p95": "3s", "tpot_p95": "80ms"}, most_gpus=8,
    )  # fmt: skip
    ways = answer(question).by_gpu[0].ways
    degrees = {(c.data_parallel_size, c.expert_parallel_size) for way in ways for _, c in way.parts}
    assert {(1, 1), (1, 4), (1, 8)} <= degrees
    assert max(replicas for replicas, _ in degrees) > 1
    rates = {
        (c.data_parallel_size, c.expert_parallel_size): way.capacity_per_s
        for way in ways
        for _, c in way.parts
        if len(way.parts) == 1
    }
    # prompts that come alone hold all replicas: without them more is served here
    alone, beside = ([r for (n, _), r in rates.items() if (n > 1) == many] for many in (False, True))
    assert max(alone) > max(beside)
    assert rates[1, 8] > 1.5 * rates[8, 8]
