from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.architecture import architecture
from models.errors import InvalidInput
from models.hardware import gpu
from models.serving import (
    Configuration,
    InstanceModel,
    Parallelism,
    Speculation,
    Targets,
    capacities,
    engine,
    operate,
)
from models.serving.analysis.table import capacities_by_kernel
from models.serving.curves import curve_at
from models.serving.load import Load
from models.serving.simulator import simulate
from models.serving.speculation import Method, acceptance_of
from models.workload import LengthDistribution

LENGTHS = LengthDistribution.fixed(1000, 301)
TARGETS = Targets(ttft_ms=3000, tpot_ms=50)


DENSE = Configuration(
    architecture=architecture("llama-3.1-70b"),
    gpu=gpu("h100"),
    parallelism=Parallelism(tensor_parallel_size=4),
    engine=engine("vllm"),
    weights="fp8",
)
SMALL = Speculation(tokens=3, acceptance=0.7, method="draft_model", draft=architecture("llama-3.1-8b"))


def instance(drafts: Speculation | None = None, **fields: object) -> InstanceModel:
    return InstanceModel.of(
        Configuration(
            architecture=architecture("deepseek-v3"),
            gpu=gpu("h200"),
            parallelism=Parallelism(tensor_parallel_size=8, expert_parallel_size=8),
            engine=engine("vllm"),
            weights="fp8_block",
            speculation=drafts,
            **fields,  # type: ignore[arg-type]
        )
    )


def drafting(tokens: int, acceptance: float) -> InstanceModel:
    return instance(Speculation(tokens=tokens, acceptance=acceptance))


def test_tokens_of_a_step_are_a_geometric_sum() -> None:
    assert Speculation(tokens=1, acceptance=0.8).tokens_per_step == pytest.approx(1.8)
    assert Speculation(tokens=3, acceptance=0.5).tokens_per_step == pytest.approx(1.875)
    assert Speculation(tokens=3, acceptance=1.0).tokens_per_step == 4.0
    # by chance: how many drafts in a row are right
    right = np.random.default_rng(0).random((100_000, 3)) < 0.7
    made = 1 + np.cumprod(right, axis=1).sum(axis=1)
    assert Speculation(tokens=3, acceptance=0.7).tokens_per_step == pytest.approx(made.mean(), rel=0.01)


@pytest.mark.parametrize(
    ("tokens", "acceptance"), [(0, 0.5), (17, 0.5), (True, 0.5), (1, -0.1), (1, 1.1), (1, float("nan"))]
)
def test_values_that_cannot_be_are_refused(tokens: int, acceptance: float) -> None:
    with pytest.raises(InvalidInput, match=r"drafts|speculative"):
        Speculation(tokens=tokens, acceptance=acceptance)


def test_drafts_that_are_never_right_cost_time_and_right_ones_save_it() -> None:
    plain, wrong, right = (
        float(simulate(one, np.full(40, 1000), np.full(40, 301), concurrency=4).tpot_ms.mean())
        for one in (instance(), drafting(3, 0.0), drafting(3, 0.9))
    )
    assert plain < wrong < 2 * plain
    assert right < 0.6 * plain
    # a step of several tokens at a small batch costs hardly more than of one: memory is what it waits for
    assert wrong / right == pytest.approx(Speculation(tokens=3, acceptance=0.9).tokens_per_step, rel=0.06)


@given(tokens=st.integers(1, 16), acceptance=st.floats(0.0, 1.0))
def test_a_mean_acceptance_length_says_the_acceptance(tokens: int, acceptance: float) -> None:
    length = Speculation(tokens=tokens, acceptance=acceptance).tokens_per_step
    found = Speculation(tokens=tokens, acceptance=acceptance_of(length, tokens))
    assert found.tokens_per_step == pytest.approx(length, rel=1e-12)


@pytest.mark.parametrize("length", [0.0, 0.99, 4.01, float("nan")])
def test_an_acceptance_length_that_cannot_be_is_refused(length: float) -> None:
    with pytest.raises(InvalidInput, match="from 1 to 4"):
        acceptance_of(length, 3)


@pytest.mark.parametrize("method", ["mtp", "eagle", "eagle3"])
def test_only_a_draft_model_is_a_model(method: Method) -> None:
    with pytest.raises(InvalidInput, match="draft_model and nothing else"):
        Speculation(tokens=1, acceptance=0.5, method=method, draft=architecture("llama-3.1-8b"))
    with pytest.raises(InvalidInput, match="draft_model and nothing else"):
        Speculation(tokens=1, acceptance=0.5, method="draft_model")


def test_a_draft_model_has_its_own_weights_and_cache() -> None:
    plain = InstanceModel.of(DENSE).memory
    found = InstanceModel.of(replace(DENSE, speculation=SMALL)).memory
    alone = InstanceModel.of(replace(DENSE, architecture=SMALL.draft, weights="bf16")).memory
    assert found.weight_bytes == plain.weight_bytes + alone.weight_bytes
    assert found.cache.sequence_bytes(1000.0) == pytest.approx(
        plain.cache.sequence_bytes(1000.0) + alone.cache.sequence_bytes(1000.0)
    )


@pytest.mark.parametrize("batch", [1.0, 8.0, 32.0, 128.0])
@pytest.mark.parametrize("context", [512, 8192])
def test_a_step_with_a_draft_model_costs_about_what_both_cost(batch: float, context: int) -> None:
    """Against the passes of the draft itself, where the model of a step has them as layers of the target."""
    each, lengths = np.array([batch]), LengthDistribution.fixed(context - 100, 200)
    drafting = Load([InstanceModel.of(replace(DENSE, speculation=SMALL))], lengths)
    free = replace(InstanceModel.of(replace(DENSE, speculation=SMALL)), draft_passes=0.0)
    head = curve_at(free.curves.head_ms[None], each) * DENSE.overheads.linear_scale
    verifying = Load([free], lengths).decode_ms(each) - SMALL.tokens * head
    own = Load([InstanceModel.of(replace(DENSE, architecture=SMALL.draft, weights="bf16"))], lengths)
    engine_ms = DENSE.overheads.step_ms + DENSE.overheads.sequence_ms * batch
    expected = verifying + SMALL.tokens * (own.decode_ms(each) - engine_ms)
    assert drafting.decode_ms(each)[0] == pytest.approx(expected[0], rel=0.12)


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (Parallelism(tensor_parallel_size=2, pipeline_parallel_size=2), "between pipeline stages"),
        (Parallelism(tensor_parallel_size=16), "draft: "),
    ],
)
def test_cuts_that_drafts_cannot_have(cut: Parallelism, message: str) -> None:
    forty_heads = replace(SMALL, draft=architecture("opt-13b"))
    problems = replace(DENSE, parallelism=cut, speculation=forty_heads).problems()
    assert any(message in why for why in problems), problems


def test_all_tokens_of_a_full_batch_leave_room_for_a_prompt() -> None:
    with pytest.raises(InvalidInput, match="times 4 tokens of each"):
        replace(DENSE, speculation=SMALL, max_num_seqs=256, max_num_batched_tokens=1024)


def test_drafts_take_memory() -> None:
    plain, more = instance().memory, drafting(1, 0.8).memory
    assert more.weight_bytes == pytest.approx(plain.weight_bytes * 62 / 61)
    assert more.cache.bytes_per_token == pytest.approx(plain.cache.bytes_per_token * 62 / 61)
    assert more.kv_cache_tokens < plain.kv_cache_tokens


def test_a_cache_that_runs_full_is_never_over_capacity() -> None:
    one = drafting(3, 0.9)
    short = one.memory.kv_cache_tokens // 3000
    run = simulate(one, np.full(3 * short, 2000), np.full(3 * short, 2000), concurrency=2 * short)
    assert run.preemptions + run.peak_running > 0
    assert run.peak_cached_tokens <= one.memory.kv_cache_tokens
    assert (run.end_ms > run.first_token_ms).all()


def test_the_kernels_say_what_the_arrays_say() -> None:
    for one in (drafting(1, 0.8), drafting(4, 0.3)):
        (slow,) = capacities([one], LENGTHS, TARGETS)
        (fast,) = capacities_by_kernel([one], LENGTHS, TARGETS)
        assert fast.rate_per_s == pytest.approx(slow.rate_per_s, rel=1e-9)
        assert fast.tpot_ms == pytest.approx(slow.tpot_ms, rel=1e-9)


@pytest.mark.parametrize("acceptance", [0.0, 0.8])
def test_analysis_and_simulation_agree(acceptance: float) -> None:
    one = drafting(2, acceptance)
    (most,) = capacities([one], LENGTHS, TARGETS)
    assert most.feasible
    for share in (0.3, 0.6):
        rate = share * most.rate_per_s
        (found,) = operate([one], LENGTHS, np.array([rate]), TARGETS)
        run = simulate(
            one,
            np.full(4000, 1000),
            np.full(4000, 301),
            arrivals_s=np.cumsum(np.random.default_rng(0).exponential(1.0 / rate, 4000)),
        )
        assert found.ttft_ms == pytest.approx(float(np.percentile(run.ttft_ms[500:], 95)), rel=0.25)
        assert found.tpot_ms == pytest.approx(float(np.percentile(run.tpot_ms[500:], 95)), rel=0.25)
    clients = 16
    run = simulate(one, np.full(800, 1000), np.full(800, 301), concurrency=clients)
    load = Load([one], LENGTHS)
    span = float(run.end_ms.max())
    step = load.decode_ms(np.full(1, float(clients)))[0]
    assert 800 / span < clients / (300 * step / Speculation(tokens=2, acceptance=acceptance).tokens_per_step)
