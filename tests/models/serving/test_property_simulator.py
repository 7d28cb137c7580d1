"""What holds for every workload, engine, priority and sharing of prompts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.architecture import architecture
from models.errors import InvalidInput
from models.hardware import gpu
from models.serving import Configuration, InstanceModel, Parallelism, engine
from models.serving.disaggregated import simulate_disaggregated
from models.serving.simulator import Simulation, simulate
from models.workload import PrefixBlocks, arrivals_s

ENGINES = ("vllm", "sglang", "tensorrt-llm")
SIZE = 64


def instance(
    name: str = "vllm", cache: int | None = None, role: str = "mixed", gpus: int = 2, seqs: int = 64,
    stages: int = 1,
) -> InstanceModel:  # fmt: skip
    found = InstanceModel.of(
        Configuration(
            architecture=architecture("llama-3.1-8b"),
            gpu=gpu("l4"),
            parallelism=Parallelism(tensor_parallel_size=gpus, pipeline_parallel_size=stages),
            engine=engine(name),
            role=role,  # type: ignore[arg-type]
            max_num_seqs=seqs,
            max_num_batched_tokens=2048,
        )
    )
    if cache is None:
        return found
    return replace(found, memory=replace(found.memory, kv_cache_tokens=cache))


@st.composite
def workloads(draw: st.DrawFn) -> dict[str, object]:
    """Requests with arrivals, priorities, and prompts that begin like earlier ones."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(1, 60))
    inputs = random.integers(1, draw(st.sampled_from([200, 2500])), count)
    outputs = random.integers(1, draw(st.sampled_from([3, 300])), count)
    families = random.integers(0, draw(st.integers(1, 6)), count)
    shared = random.integers(0, 30, count)  # blocks in common with the family
    names, first = [], [0]
    for i in range(count):
        mine = [(int(families[i]), j) if j < shared[i] else (-1 - i, j) for j in range(-(-inputs[i] // SIZE))]
        names += mine
        first.append(len(names))
    known: dict[tuple[int, int], int] = {}
    return {
        "inputs": inputs,
        "outputs": outputs,
        "arrivals": arrivals_s(count, draw(st.sampled_from([0.3, 3.0, 300.0])), variation=3.0, seed=count),
        "priorities": random.integers(0, draw(st.integers(1, 4)), count),
        "prefixes": PrefixBlocks(
            tokens=SIZE,
            first=np.array(first),
            names=np.array([known.setdefault(n, len(known)) for n in names]),
        ),
    }


@settings(max_examples=80, deadline=None)
@given(
    work=workloads(),
    name=st.sampled_from(ENGINES),
    cache=st.integers(3000, 9000),
    seqs=st.integers(1, 20),
    features=st.sets(st.sampled_from(["priorities", "prefixes"])),
    clients=st.none() | st.integers(1, 12),
    stages=st.sampled_from((1, 2)),
)
def test_invariants(
    work: dict[str, object],
    name: str,
    cache: int,
    seqs: int,
    features: set[str],
    clients: int | None,
    stages: int,
) -> None:
    model = instance(name, cache, seqs=seqs, stages=stages)
    inputs, outputs = np.asarray(work["inputs"]), np.asarray(work["outputs"])

    def serve() -> Simulation:
        chosen = {feature: work[feature] for feature in features}
        load = {"arrivals_s": work["arrivals"]} if clients is None else {"concurrency": clients}
        return simulate(model, inputs, outputs, **load, **chosen)  # type: ignore[arg-type]

    run = serve()
    # no request is lost, its first token comes after it arrives
    assert (run.first_token_ms > run.sent_ms).all()
    assert (run.end_ms >= run.first_token_ms).all()
    assert (run.end_ms[outputs > 1] > run.first_token_ms[outputs > 1]).all()
    # the cache is never over capacity
    assert run.peak_cached_tokens <= cache
    assert run.peak_kept_tokens <= cache
    assert run.peak_running <= seqs
    # work is conserved
    assert run.computed_prompt_tokens + run.reused_prompt_tokens == inputs.sum() + run.recomputed_tokens
    if "prefixes" not in features:
        assert run.reused_prompt_tokens == 0
    # every token but the first of a request comes some time after another
    assert run.token_gaps.sum() == (outputs - 1).sum()
    # the same again
    again = serve()
    assert (again.end_ms == run.end_ms).all()
    assert (again.first_token_ms == run.first_token_ms).all()


@settings(max_examples=40, deadline=None)
@given(work=workloads(), sides=st.tuples(st.integers(1, 3), st.integers(1, 3)), cache=st.integers(3000, 9000))
def test_invariants_of_prefill_and_decode_instances(
    work: dict[str, object], sides: tuple[int, int], cache: int
) -> None:
    inputs, outputs = np.asarray(work["inputs"]), np.asarray(work["outputs"])
    found = simulate_disaggregated(
        instance(role="prefill", cache=cache),
        instance(role="decode", cache=cache),
        inputs,
        outputs,
        arrivals_s=work["arrivals"],  # type: ignore[arg-type]
        prefill_instances=sides[0],
        decode_instances=sides[1],
    )
    run = found.requests
    assert (run.first_token_ms > run.sent_ms).all()
    assert (found.handed_over_ms >= run.first_token_ms).all()
    longer = outputs > 1
    assert (found.handed_over_ms[longer] > run.first_token_ms[longer]).all()
    assert (run.end_ms[longer] > found.handed_over_ms[longer]).all()
    assert (run.end_ms[~longer] == run.first_token_ms[~longer]).all()
    assert run.peak_cached_tokens <= cache
    before = [side for side in found.prefill if side is not None]
    assert sum(side.computed_prompt_tokens for side in before) == inputs.sum()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), name=st.sampled_from(ENGINES), variation=st.sampled_from([0.0, 1.0, 4.0]))
def test_twice_the_gpus_never_hurt_the_tail(seed: int, name: str, variation: float) -> None:
    random = np.random.default_rng(seed)
    inputs, outputs = random.integers(50, 2000, 200), random.integers(1, 200, 200)
    arrivals = arrivals_s(200, 2.0, variation=variation, seed=seed)
    tails = [
        np.percentile(
            simulate(instance(name, gpus=gpus), inputs, outputs, arrivals_s=arrivals).latency_ms, 99
        )
        for gpus in (1, 2, 4)
    ]
    assert tails == sorted(tails, reverse=True)


def test_an_engine_with_work_is_never_idle() -> None:
    """Prompts that come at once fill the steps (but the first, while the front end still reads them)."""
    inputs, outputs = np.full(50, 400), np.full(50, 1)
    model = instance()
    together = simulate(model, inputs, outputs, arrivals_s=np.zeros(50))
    alone = simulate(model, inputs[:1], outputs[:1], arrivals_s=np.zeros(1))
    assert together.steps == together.prefill_steps
    assert 10 <= together.steps <= 11  # 20,000 tokens at 2,048 a step
    assert together.end_ms.max() < 50 * alone.end_ms.max()


def test_a_prompt_seen_before_is_not_computed_again() -> None:
    names = np.tile(np.arange(16), 3)
    prefixes = PrefixBlocks(tokens=SIZE, first=np.array([0, 16, 32, 48]), names=names)
    arrivals = np.array([0.0, 10.0, 20.0])
    run = simulate(instance(), [1024] * 3, [4] * 3, arrivals_s=arrivals, prefixes=prefixes)
    assert run.computed_prompt_tokens == 1024 + 2 * 1  # one token is always computed
    assert run.reused_prompt_tokens == 2 * 1023
    assert run.ttft_ms[1] < run.ttft_ms[0] / 2
    assert run.ttft_ms[2] == pytest.approx(run.ttft_ms[1])


def test_the_least_recently_used_prompt_goes_first() -> None:
    """A cache of two prompts: A B A C A finds A both times, A B C A does not."""
    blocks = {"A": range(16), "B": range(16, 32), "C": range(32, 48)}

    def reused(order: str) -> int:
        prefixes = PrefixBlocks(
            tokens=SIZE,
            first=np.arange(len(order) + 1) * 16,
            names=np.concatenate([np.array(blocks[p]) for p in order]),
        )
        count = len(order)
        return simulate(
            instance(cache=2080),
            [1024] * count,
            [2] * count,
            arrivals_s=np.arange(count) * 10.0,
            prefixes=prefixes,
        ).reused_prompt_tokens

    assert reused("ABACA") == 2 * 1023
    assert reused("ABCA") == 0


def test_urgent_requests_overtake_and_take_the_cache_of_others() -> None:
    inputs, outputs = np.full(9, 1000), np.full(9, 500)
    arrivals = np.array([0.0] * 8 + [5.0])
    model = instance(cache=6000)
    plain = simulate(model, inputs, outputs, arrivals_s=arrivals)
    urgent = simulate(model, inputs, outputs, arrivals_s=arrivals, priorities=[1] * 8 + [0])
    assert urgent.ttft_ms[8] < plain.ttft_ms[8] / 3
    assert urgent.preemptions > 0


def test_a_stated_reuse_saves_that_share_of_the_prompts() -> None:
    run = simulate(instance(), [1000] * 20, [10] * 20, concurrency=4, reuse=0.6)
    assert run.reused_prompt_tokens == 20 * 600
    assert run.computed_prompt_tokens == 20 * 400


def test_times_between_tokens_are_those_of_the_steps() -> None:
    """Alone, every gap is the decode step; a long prompt of another, uncut, is one long gap."""
    model = instance("sglang")
    alone = simulate(model, [100], [300], concurrency=1)
    assert alone.itl_ms(50) == pytest.approx(alone.tpot_ms[0], rel=0.01)
    assert alone.itl_mean_ms == pytest.approx(alone.tpot_ms[0])
    both = simulate(model, [100, 2000], [300, 2], arrivals_s=[0.0, 1.0])
    prompt = both.first_token_ms[1] - 1000.0
    assert both.itl_ms(50) == pytest.approx(alone.itl_ms(50), rel=0.02)
    assert both.itl_ms(100) == pytest.approx(prompt, rel=0.1)
    assert np.isnan(simulate(model, [100], [1], concurrency=1).itl_ms(50))


def test_bursts_make_the_tail_longer() -> None:
    inputs, outputs = np.full(3000, 500), np.full(3000, 50)
    p99 = [
        np.percentile(
            simulate(
                instance(), inputs, outputs, arrivals_s=arrivals_s(3000, 3.0, variation=v, seed=1)
            ).ttft_ms,
            99,
        )
        for v in (0.0, 1.0, 3.0)
    ]
    assert p99 == sorted(p99)
    assert p99[2] > 2 * p99[1]


def test_a_slow_link_delays_the_second_token_only() -> None:
    slow, fast = (
        simulate_disaggregated(
            replace(
                instance(role="prefill"),
                configuration=replace(
                    instance(role="prefill").configuration, kv_transfer_bytes_per_s=bandwidth
                ),
            ),
            instance(role="decode"),
            [1000, 1000],
            [100, 100],
            arrivals_s=[0.0, 0.0],
        )
        for bandwidth in (1e9, 1e11)
    )
    assert (slow.requests.ttft_ms == fast.requests.ttft_ms).all()
    seconds = 1000 * 131_072 / 1e9  # the cache of a prompt; both leave together, one after the other
    first = slow.requests.first_token_ms[0]
    assert slow.handed_over_ms == pytest.approx([first + seconds * 1e3, first + 2 * seconds * 1e3])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reuse": 1.5}, "reuse must be"),
        ({"priorities": [0.5, 1.0]}, "whole numbers"),
        ({"priorities": [1]}, "one a request"),
        (
            {"prefixes": PrefixBlocks(tokens=4, first=np.array([0, 1]), names=np.array([0]))},
            "blocks of 1 prompts for 2 requests",
        ),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        simulate(instance(), [10, 10], [2, 2], concurrency=1, **arguments)  # type: ignore[arg-type]


def test_roles_are_checked() -> None:
    with pytest.raises(InvalidInput, match="a prefill and a decode instance"):
        simulate_disaggregated(instance(), instance(), [10], [2], arrivals_s=[0.0])
    with pytest.raises(InvalidInput, match="a token left to make"):
        simulate(instance(role="decode"), [10], [1], concurrency=1)
