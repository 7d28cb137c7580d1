"""`planner.candidates.enumerate`: every way is either a candidate or refused with its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.hardware import gpu
from models.workload import LengthDistribution
from planner.candidates.enumerate import Candidates, enumerate_candidates, max_model_len
from planner.fleet import Fleet
from planner.testing import make_fleet

FLEET = make_fleet()


@pytest.fixture(scope="module")
def found() -> Candidates:
    return enumerate_candidates(FLEET)


def test_every_way_is_accepted_or_refused_once(found: Candidates) -> None:
    ways = [
        (w.workload, w.pool, w.role, w.tensor_parallel_size, w.pipeline_parallel_size)
        for w in (*found.accepted, *found.refused)
    ]
    assert len(ways) == len(set(ways)) == 2 * 2 * 3 * 4 * 2  # workloads, pools, roles, TP, PP


def test_candidates_keep_their_targets_and_fit_their_nodes(found: Candidates) -> None:
    for c in found.accepted:
        workload, pool = FLEET.workload(c.workload), FLEET.pool(c.pool)
        assert c.capacity_per_s > 0
        assert (c.ttft_ms is None) == (c.role == "decode")
        assert (c.tpot_ms is None) == (c.role == "prefill")
        assert c.ttft_ms is None or c.ttft_ms <= workload.ttft.limit_ms * (1 + 1e-6)
        assert c.tpot_ms is None or c.tpot_ms <= workload.tpot.limit_ms * (1 + 1e-6)
        assert c.gpus_per_group <= pool.gpus_per_node
        assert c.gpus == c.tensor_parallel_size * c.pipeline_parallel_size
        assert c.price_per_hour == c.gpus * pool.price_per_gpu_hour


def test_reasons(found: Candidates) -> None:
    reasons = {(r.role, r.tensor_parallel_size, r.pipeline_parallel_size, r.pool): r for r in found.refused}
    eight = reasons["mixed", 8, 1, "a"]  # nodes of 6
    assert (eight.limit, eight.reason) == (
        "node",
        "a tensor-parallel group of 8 does not fit a node of 6 GPUs",
    )
    assert reasons["prefill", 2, 2, "b"].limit == "engine"
    assert all(r.reason for r in found.refused)


def test_memory_and_targets_refuse_with_figures() -> None:
    small = replace(FLEET, pools=(replace(FLEET.pools[1], gpu=gpu("l4-24gb")),))
    from models.architecture import architecture

    large = tuple(replace(m, architecture=architecture("llama-3.1-70b")) for m in FLEET.models)
    refused = enumerate_candidates(replace(small, models=large)).refused
    one = next(
        r for r in refused if (r.role, r.tensor_parallel_size, r.pipeline_parallel_size) == ("mixed", 1, 1)
    )
    assert one.limit == "memory"
    assert "GB" in one.reason

    workload = FLEET.workloads[0]
    hasty = replace(FLEET, workloads=(replace(workload, ttft=replace(workload.ttft, limit_ms=0.1)),))
    late = [r for r in enumerate_candidates(hasty).refused if r.limit == "ttft"]
    assert late
    assert all(r.ttft_ms is not None and r.ttft_ms > 0.1 for r in late)


def test_roles_follow_the_policy() -> None:
    def roles(fleet: Fleet) -> set[str]:
        return {c.role for c in enumerate_candidates(fleet).accepted}

    only = replace(FLEET.policies, roles=("mixed",))
    assert roles(replace(FLEET, policies=only)) == {"mixed"}
    apart = replace(FLEET.policies, roles=("disaggregated",))
    assert roles(replace(FLEET, policies=apart)) == {"prefill", "decode"}


def test_max_model_len_holds_the_longest_request_of_any_workload() -> None:
    assert max_model_len(FLEET, FLEET.models[0]) == 512  # 300 + 50 tokens, in blocks of 256
    assert max_model_len(FLEET, replace(FLEET.models[0], max_model_len=400)) == 400


def test_cancelled() -> None:
    assert enumerate_candidates(FLEET, cancelled=lambda: True) == Candidates(accepted=(), refused=())


def test_the_token_budget_is_the_one_that_carries_most(found: Candidates) -> None:
    mixed = [c for c in found.accepted if c.role == "mixed"]
    for c in mixed:
        budgets = dict(c.rates_by_budget)
        assert list(budgets) == sorted(budgets) == [512, 1024, 2048, 4096, 8192, 16384]
        assert c.capacity_per_s == max(budgets.values()) == budgets[c.max_num_batched_tokens]
    assert {len(c.rates_by_budget) for c in found.accepted if c.role == "decode"} == {1}


def test_a_tighter_target_for_each_token_asks_for_smaller_steps() -> None:
    """Long prompts beside running decodes: what a chunk adds to a step must fit the target."""
    workload = replace(
        FLEET.workloads[0],
        lengths=LengthDistribution.fixed(8000, 200),
        ttft=replace(FLEET.workloads[0].ttft, limit_ms=20_000.0),
    )
    chosen = {}
    for tpot_ms in (25.0, 200.0):
        asked = replace(workload, tpot=replace(workload.tpot, limit_ms=tpot_ms))
        accepted = enumerate_candidates(replace(FLEET, workloads=(asked,))).accepted
        chosen[tpot_ms] = {c.shape: c.max_num_batched_tokens for c in accepted if c.role == "mixed"}
    both = chosen[25.0].keys() & chosen[200.0].keys()
    assert both
    assert all(chosen[25.0][shape] <= chosen[200.0][shape] for shape in both)
    assert any(chosen[25.0][shape] < chosen[200.0][shape] for shape in both)
