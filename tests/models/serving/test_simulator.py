from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.architecture import architecture
from models.errors import InvalidInput
from models.hardware import gpu
from models.serving import Configuration, InstanceModel, Overheads, Parallelism, engine
from models.serving.load import Load
from models.serving.simulator import Simulation, simulate
from models.workload import LengthDistribution

ENGINES = ("vllm", "sglang", "tensorrt-llm")
NO_OVERHEADS = Overheads(
    linear_scale=1.0,
    prefill_scale=1.0,
    kernel_ms=0.0,
    prefill_kernel_ms=0.0,
    step_ms=0.0,
    sequence_ms=0.0,
    request_ms=0.0,
    prompt_ms_per_1k=0.0,
)


def instance(name: str = "vllm", *, cache_tokens: int | None = None, **fields: int) -> InstanceModel:
    degrees = {k: fields.pop(k) for k in list(fields) if k.endswith("parallel_size")}
    settings_ = replace(engine(name), overheads=NO_OVERHEADS)
    config = Configuration(
        architecture=architecture("llama-3.1-8b"),
        gpu=gpu("l4"),  # no profile: the datasheet's times, which need no tables
        parallelism=Parallelism(**{"tensor_parallel_size": 2, **degrees}),
        engine=settings_,
        **fields,  # type: ignore[arg-type]
    )
    found = InstanceModel.of(config)
    if cache_tokens is None:
        return found
    return replace(found, memory=replace(found.memory, kv_cache_tokens=cache_tokens))


def same(a: Simulation, b: Simulation) -> bool:
    return bool((a.first_token_ms == b.first_token_ms).all() and (a.end_ms == b.end_ms).all())


REQUESTS = st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 300)), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(
    requests=REQUESTS,
    name=st.sampled_from(ENGINES),
    gaps=st.lists(st.floats(0, 2), min_size=40, max_size=40),
    cache=st.integers(3300, 12_000),
    seqs=st.integers(1, 20),
    stages=st.sampled_from((1, 3)),
)
def test_no_request_is_lost_and_the_cache_is_never_overrun(
    requests: list[tuple[int, int]], name: str, gaps: list[float], cache: int, seqs: int, stages: int
) -> None:
    inputs, outputs = (np.array(x) for x in zip(*requests, strict=True))
    arrivals = np.cumsum(gaps[: inputs.size])
    model = instance(name, cache_tokens=cache, max_num_seqs=seqs, pipeline_parallel_size=stages)
    run = simulate(model, inputs, outputs, arrivals_s=arrivals)
    assert run.sent_ms == pytest.approx(arrivals * 1e3)
    assert (run.first_token_ms > run.sent_ms).all()
    assert (run.end_ms >= run.first_token_ms).all()
    assert (run.end_ms[outputs > 1] > run.first_token_ms[outputs > 1]).all()
    assert run.peak_cached_tokens <= cache
    assert run.peak_running <= seqs
    if name == "tensorrt-llm":
        assert run.preemptions == 0
    assert same(run, simulate(model, inputs, outputs, arrivals_s=arrivals))


@settings(max_examples=30, deadline=None)
@given(requests=REQUESTS, clients=st.integers(1, 16), name=st.sampled_from(ENGINES))
def test_closed_loop_keeps_its_clients_busy(requests: list[tuple[int, int]], clients: int, name: str) -> None:
    inputs, outputs = (np.array(x) for x in zip(*requests, strict=True))
    run = simulate(instance(name), inputs, outputs, concurrency=clients)
    # at any time no more than `clients` requests are in flight, and exactly that many while requests remain
    for moment in run.sent_ms:
        flying = ((run.sent_ms <= moment) & (run.end_ms > moment)).sum()
        assert flying <= clients
    assert (run.sent_ms == 0).sum() >= min(clients, inputs.size)
    assert np.isin(run.sent_ms[run.sent_ms > 0], run.end_ms).all()


def test_one_request_costs_its_passes() -> None:
    model = instance()
    run = simulate(model, [1000], [1], concurrency=1)
    curves = model.curves
    from models.serving.curves import TOKENS

    linear = np.interp(1000, TOKENS, curves.linear_ms)
    attention = np.interp(1000, TOKENS, curves.prefill_attention_ms)
    assert run.ttft_ms[0] == pytest.approx(linear + attention + curves.head_ms[0], rel=1e-3)
    assert np.isnan(run.tpot_ms[0])


def test_jumped_steps_are_the_sum_of_single_ones() -> None:
    model = instance()
    together = simulate(model, [500], [200], concurrency=1)
    load = Load([model], LengthDistribution.fixed(500, 200))
    per_token = float(load.decode_ms(np.array([1.0]))[0])
    assert together.tpot_ms[0] == pytest.approx(per_token, rel=0.01)
    assert together.steps == 200


@pytest.mark.parametrize("name", ENGINES)
def test_twice_the_gpus_never_hurt_the_tail(name: str) -> None:
    random = np.random.default_rng(5)
    inputs, outputs = random.integers(50, 2000, 400), random.integers(1, 200, 400)
    arrivals = np.cumsum(random.exponential(0.4, 400))
    runs = [
        simulate(instance(name, tensor_parallel_size=tp), inputs, outputs, arrivals_s=arrivals)
        for tp in (1, 2, 4)
    ]
    p99 = [np.percentile(run.latency_ms, 99) for run in runs]
    assert p99 == sorted(p99, reverse=True)


def test_full_cache_preempts_or_waits_by_engine() -> None:
    inputs, outputs = np.full(30, 500), np.full(30, 800)
    chunked, packed = (
        simulate(instance(name, cache_tokens=6000), inputs, outputs, concurrency=30)
        for name in ("vllm", "tensorrt-llm")
    )
    assert chunked.preemptions > 0
    assert packed.preemptions == 0
    assert packed.peak_running == 4  # 6000 // (500 + 800)


def test_chunked_prompts_let_decodes_go_on() -> None:
    """A long prompt delays the tokens of others less when it is cut."""
    inputs, outputs = np.array([100, 30_000]), np.array([400, 2])
    arrivals = np.array([0.0, 0.5])
    small, large = (
        simulate(instance(max_num_batched_tokens=budget), inputs, outputs, arrivals_s=arrivals)
        for budget in (512, 32_768)
    )
    assert small.prefill_steps > large.prefill_steps
    assert small.first_token_ms[1] > large.first_token_ms[1]


def test_pipeline_stages_give_throughput_not_latency() -> None:
    inputs, outputs = np.full(600, 200), np.full(600, 100)
    one, two = (
        simulate(
            instance(tensor_parallel_size=1, pipeline_parallel_size=pp), inputs, outputs, concurrency=clients
        )
        for pp, clients in ((1, 60), (2, 120))
    )
    assert two.output_tokens_per_s > 1.6 * one.output_tokens_per_s
    lonely = [
        simulate(
            instance(tensor_parallel_size=1, pipeline_parallel_size=pp), [200], [50], concurrency=1
        ).tpot_ms[0]
        for pp in (1, 2)
    ]
    assert lonely[1] == pytest.approx(lonely[0], rel=0.05)


def test_a_prompt_goes_through_all_stages_before_its_first_token() -> None:
    one, four = (
        simulate(
            instance(tensor_parallel_size=1, pipeline_parallel_size=pp), [2000], [1], concurrency=1
        ).ttft_ms[0]
        for pp in (1, 4)
    )
    assert four == pytest.approx(one, rel=0.05)


@pytest.mark.parametrize("name", ENGINES)
def test_each_stage_takes_prompts_of_a_budget_of_its_own(name: str) -> None:
    """As many prompts as stages, each of a whole budget, are one round: first tokens come together."""
    budget = 2048
    run = simulate(
        instance(name, tensor_parallel_size=1, pipeline_parallel_size=2, max_num_batched_tokens=budget),
        np.full(4, budget), np.full(4, 1), arrivals_s=np.zeros(4),
    )  # fmt: skip
    first, second = run.first_token_ms[:2], run.first_token_ms[2:]
    assert first[0] == first[1] < second[0] == second[1]
    # the stages are busy one after the other: two rounds take two passes
    assert second[0] == pytest.approx(2 * first[0], rel=0.05)


def test_clients_of_a_pipeline_wait_for_their_answers() -> None:
    rng = np.random.default_rng(0)
    model = instance(tensor_parallel_size=1, pipeline_parallel_size=4)
    run = simulate(model, rng.integers(10, 3000, 200), rng.integers(1, 50, 200), concurrency=7)
    times = np.concatenate((run.sent_ms, run.end_ms))
    change = np.concatenate((np.ones(200), -np.ones(200)))
    running = np.cumsum(change[np.lexsort((change, times))])  # an answer before what is sent at its time
    assert running.max() == 7
    assert (run.first_token_ms > run.sent_ms).all()
    assert (run.end_ms >= run.first_token_ms).all()


@pytest.mark.parametrize("name", ENGINES)
def test_analysis_and_simulation_agree_on_pipelines(name: str) -> None:
    lengths = LengthDistribution.fixed(1000, 100)
    model = instance(name, tensor_parallel_size=1, pipeline_parallel_size=2)
    load = Load([model], lengths)
    rate = 0.5 * load.max_rate_per_s
    state = load.at_rate(rate)
    arrivals = np.cumsum(np.random.default_rng(1).exponential(1 / rate[0], 3000))
    run = simulate(model, np.full(3000, 1000), np.full(3000, 100), arrivals_s=arrivals)
    waiting = (state.weight * state.wait_ms).sum(axis=1)
    ttft = (waiting + (state.weight[:, :, None] * state.service_ms).sum(axis=1)[:, 0])[0]
    assert run.ttft_ms.mean() == pytest.approx(ttft, rel=0.25)
    assert np.nanmean(run.tpot_ms) == pytest.approx((state.weight * state.tpot_ms).sum(), rel=0.1)


def test_analysis_and_simulation_agree_at_a_fixed_number_of_clients() -> None:
    lengths = LengthDistribution.from_samples(
        np.random.default_rng(1).integers(10, 3000, 5000),
        np.random.default_rng(2).integers(1, 300, 5000),
        source="test",
    )
    model = instance()
    load = Load([model], lengths)
    inputs, outputs = lengths.sample(6000, seed=3)
    for clients in (1, 16, 64):
        run = simulate(model, inputs, outputs, concurrency=clients)
        rate = inputs.size / run.end_ms.max() * 1e3
        number = np.array([float(clients)])
        step, (extra, _, _) = load.decode_ms(number), load.prompt_ms(number, load.inputs[None, :])
        held = load.input_mean(extra + load._prompt_attention)
        expected = clients / (load.mean_steps * step + clients * held)[0] * 1e3
        assert rate == pytest.approx(expected, rel=0.04)


def test_goodput_counts_requests_that_keep_both_targets() -> None:
    run = Simulation(
        sent_ms=np.zeros(3),
        first_token_ms=np.array([100.0, 100.0, 900.0]),
        end_ms=np.array([100.0, 1100.0, 1000.0]),
        output_tokens=np.array([1, 11, 11]),
        steps=1,
        prefill_steps=1,
        preemptions=0,
        peak_cached_tokens=1,
        peak_running=1,
    )
    assert run.goodput_per_s(ttft_ms=200, tpot_ms=50) == pytest.approx(1 / 1.1)
    assert run.goodput_per_s(ttft_ms=200, tpot_ms=100) == pytest.approx(2 / 1.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_tokens": [], "output_tokens": [], "concurrency": 1}, "equally long"),
        ({"input_tokens": [1], "output_tokens": [0], "concurrency": 1}, "at least one"),
        ({"input_tokens": [1], "output_tokens": [1]}, "one of the two"),
        ({"input_tokens": [1], "output_tokens": [1], "concurrency": 0}, "concurrency must be"),
        ({"input_tokens": [1, 1], "output_tokens": [1, 1], "arrivals_s": [1.0, 0.0]}, "ascending"),
        ({"input_tokens": [10**6], "output_tokens": [1], "concurrency": 1}, "does not fit the cache"),
    ],
)
def test_wrong_requests_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        simulate(instance(), **arguments)  # type: ignore[arg-type]


def test_analysis_and_simulation_agree_on_percentiles_under_random_arrivals() -> None:
    from models.serving import Targets, capacities, operate

    random = np.random.default_rng(4)
    lengths = LengthDistribution.from_samples(
        np.rint(random.lognormal(6.5, 0.8, 5000)) + 1,
        np.rint(random.exponential(60, 5000)) + 1,
        source="test",
    )
    model, targets = instance(), Targets(ttft_ms=20_000, tpot_ms=1000)
    (most,) = capacities([model], lengths, targets)
    for share in (0.3, 0.6):
        rate = share * most.rate_per_s
        (expected,) = operate([model], lengths, np.array([rate]), targets)
        inputs, outputs = lengths.sample(12_000, seed=1)
        arrivals = np.cumsum(np.random.default_rng(2).exponential(1 / rate, 12_000))
        run = simulate(model, inputs, outputs, arrivals_s=arrivals)
        assert expected.ttft_ms == pytest.approx(np.percentile(run.ttft_ms, 95), rel=0.25)
        assert expected.tpot_ms == pytest.approx(np.nanpercentile(run.tpot_ms, 95), rel=0.25)
