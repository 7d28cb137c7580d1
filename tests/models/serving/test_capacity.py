import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.architecture import architecture
from models.errors import InvalidInput
from models.hardware import gpu
from models.serving import Configuration, InstanceModel, Parallelism, Targets, capacities, engine, operate
from models.serving.load import Load
from models.serving.operating import tpot_share
from models.serving.simulator import simulate
from models.workload import LengthDistribution, arrivals_s

CHAT = LengthDistribution(
    levels=np.array([0.0, 0.5, 0.9, 1.0]),
    input_tokens=np.array([10.0, 1000.0, 2700.0, 14000.0]),
    bands=np.array([1.0]),
    output_tokens=np.array([[1.0, 130.0, 420.0, 1000.0]]),
    source="test",
)
EASY = Targets(ttft_ms=2000, tpot_ms=60)
TIGHT = Targets(ttft_ms=2000, tpot_ms=25)


def instance(name: str = "llama-3.1-8b", on: str = "h100", **fields: object) -> InstanceModel:
    degrees = {k: fields.pop(k) for k in list(fields) if k.endswith("parallel_size")}
    return InstanceModel.of(
        Configuration(
            architecture=architecture(name),
            gpu=gpu(on),
            parallelism=Parallelism(**degrees),  # type: ignore[arg-type]
            engine=engine("vllm"),
            **fields,  # type: ignore[arg-type]
        )
    )


EVERY_ROLE = [
    instance(on=on, role=role, max_num_seqs=seqs)
    for on in ("h100", "a100")
    for role in ("mixed", "prefill", "decode")
    for seqs in (256, 1024)
]


def test_prefill_only_with_equal_prompts_is_the_m_d_1_queue() -> None:
    one_a_step = instance(role="prefill", max_num_batched_tokens=2048)
    load = Load([one_a_step], LengthDistribution.fixed(2048, 1))
    most = load.max_rate_per_s[0]
    for utilisation in (0.2, 0.5, 0.8):
        state = load.at_rate(np.array([utilisation * most]))
        # Pollaczek-Khinchine for a constant service time D: R D² / (2 (1 - R D))
        service_ms = 1e3 / most
        expected = state.rate_per_s[0] / 1e3 * service_ms**2 / (2 * (1 - utilisation))
        assert state.wait_ms[0, 0] == pytest.approx(expected)
        assert state.utilisation[0] == pytest.approx(utilisation)


def test_pipeline_stages_halve_the_occupancy_but_not_the_latency() -> None:
    one, two = (
        Load([instance(role="prefill", pipeline_parallel_size=pp)], LengthDistribution.fixed(2048, 1))
        for pp in (1, 2)
    )
    assert two.max_rate_per_s[0] == pytest.approx(2 * one.max_rate_per_s[0])
    a, b = (load.at_rate(np.array([1.0])).service_ms[0, 0, 0] for load in (one, two))
    assert b == pytest.approx(a, rel=0.02)


def test_little_s_law_holds_on_average() -> None:
    load = Load([instance(), instance(tensor_parallel_size=2)], CHAT)
    for share in (0.1, 0.5, 0.8):
        rate = share * load.max_rate_per_s
        state = load.at_rate(rate)
        tpot = (state.weight * state.tpot_ms).sum(axis=1)
        assert rate * load.mean_steps * tpot / 1e3 == pytest.approx(state.running, rel=0.1)


def test_more_load_means_more_of_everything() -> None:
    load = Load([instance()], CHAT)
    states = [load.at_rate(load.max_rate_per_s * share) for share in (1e-6, 0.1, 0.3, 0.6, 0.9)]
    for name in ("rate_per_s", "running", "utilisation", "cache_bytes", "full"):
        values = [float(getattr(s, name)[0]) for s in states]
        assert values == sorted(values), name


def test_levels_of_a_state_are_a_distribution() -> None:
    load = Load([instance(), instance(role="decode", max_num_seqs=64)], CHAT)
    for share in (0.01, 0.5, 0.99):
        state = load.at_rate(load.max_rate_per_s * share)
        assert state.weight.sum(axis=1) == pytest.approx([1.0, 1.0])
        assert (state.weight >= 0).all()
        # the mean over levels is the mean number running
        assert (state.weight * load.levels).sum(axis=1) == pytest.approx(state.running)


def test_at_the_capacity_the_named_limit_binds() -> None:
    (tight,) = capacities([instance()], CHAT, TIGHT)
    assert tight.feasible
    assert tight.limit == "tpot"
    assert tight.tpot_ms == pytest.approx(25, rel=1e-3)
    (prefill,) = capacities([instance(role="prefill")], CHAT, Targets(ttft_ms=400, tpot_ms=25))
    assert prefill.limit == "ttft"
    assert prefill.ttft_ms == pytest.approx(400, rel=1e-3)
    assert prefill.tpot_ms is None
    (small,) = capacities([instance(max_num_seqs=8)], CHAT, EASY)
    assert small.limit == "max_num_seqs"
    (full,) = capacities([instance("qwen3-32b", role="decode")], CHAT, Targets(ttft_ms=1e5, tpot_ms=1e4))
    assert full.limit == "memory"
    assert full.cache_share == pytest.approx(1.0, rel=0.05)  # whole requests
    assert full.ttft_ms is None


def test_operating_at_the_capacity_gives_the_capacity_s_latencies() -> None:
    (found,) = capacities([instance()], CHAT, TIGHT)
    (same,) = operate([instance()], CHAT, np.array([found.rate_per_s * 0.999]), TIGHT)
    assert same.feasible
    assert same.tpot_ms == pytest.approx(found.tpot_ms, rel=0.01)
    (idle,) = operate([instance()], CHAT, np.array([0.01]), TIGHT)
    assert idle.ttft_ms is not None
    assert found.ttft_ms is not None
    assert idle.ttft_ms < found.ttft_ms
    over, far_over = (
        operate([instance()], CHAT, np.array([found.rate_per_s * x]), TIGHT)[0] for x in (1.05, 1000.0)
    )
    assert not over.feasible
    assert over.limit == found.limit
    assert not far_over.feasible
    assert "it can process at all" in far_over.reason


def test_impossible_targets_name_the_limit_and_what_would_work() -> None:
    (found,) = capacities(
        [instance("llama-3.1-70b", tensor_parallel_size=4)], CHAT, Targets(ttft_ms=50, tpot_ms=60)
    )
    assert not found.feasible
    assert found.limit == "ttft"
    assert "> target 50 ms" in found.reason
    # the value offered does work
    offered = float(found.reason.split("a target of ")[1].split(" ms")[0])
    (again,) = capacities(
        [instance("llama-3.1-70b", tensor_parallel_size=4)], CHAT, Targets(ttft_ms=offered, tpot_ms=60)
    )
    assert again.feasible


def test_a_model_that_does_not_fit_says_by_how_much() -> None:
    no_weights, no_cache = capacities(
        [instance("llama-3.1-70b"), instance("llama-3.1-70b", weights="fp8", kv_cache="fp8")], CHAT, EASY
    )
    assert (no_weights.limit, no_cache.limit) == ("memory", "memory")
    assert "141.1 GB of weights" in no_weights.reason
    assert "the longest request (15,000 tokens)" in no_cache.reason


def test_a_request_beyond_the_context_is_refused() -> None:
    (found,) = capacities(
        [instance("qwen3-32b", tensor_parallel_size=4)], LengthDistribution.fixed(50_000, 10), EASY
    )
    assert "exceeds the model's context of 40,960" in found.reason


def test_instances_do_not_disturb_each_other() -> None:
    many = [instance(), instance(role="prefill"), instance("llama-3.1-70b"), instance(tensor_parallel_size=2)]
    together = capacities(many, CHAT, EASY)
    assert together == tuple(capacities([one], CHAT, EASY)[0] for one in many)
    assert capacities([], CHAT, EASY) == ()


def test_the_basis_is_that_of_the_data_behind_it() -> None:
    with_tables, without = (capacities([instance(on=g)], CHAT, EASY)[0] for g in ("h100", "l4"))
    assert (with_tables.basis, without.basis) == ("imported", "datasheet")


def test_wrong_targets_and_rates_are_refused() -> None:
    with pytest.raises(InvalidInput, match="tpot_ms must be positive"):
        Targets(ttft_ms=1, tpot_ms=float("nan"))
    with pytest.raises(InvalidInput, match="between 0 and 100"):
        Targets(ttft_ms=1, tpot_ms=1, ttft_percentile=100)
    with pytest.raises(InvalidInput, match="one positive, finite rate"):
        operate([instance()], CHAT, np.array([-1.0]), EASY)


@settings(max_examples=40, deadline=None)
@given(
    ttft_ms=st.floats(5, 20_000),
    tpot_ms=st.floats(3, 200),
    percentiles=st.tuples(st.sampled_from([50.0, 90.0, 95.0, 99.0]), st.sampled_from([50.0, 95.0, 99.9])),
    longest=st.integers(2, 4000),
)
def test_what_is_feasible_states_latencies_within_its_targets(
    ttft_ms: float, tpot_ms: float, percentiles: tuple[float, float], longest: int
) -> None:
    targets = Targets(
        ttft_ms=ttft_ms, tpot_ms=tpot_ms, ttft_percentile=percentiles[0], tpot_percentile=percentiles[1]
    )
    lengths = LengthDistribution(
        levels=np.array([0.0, 0.5, 1.0]),
        input_tokens=np.array([10.0, 900.0, 6000.0]),
        bands=np.array([1.0]),
        output_tokens=np.array([[1.0, longest / 8 + 1, longest + 1]]),
        source="test",
    )
    for found in capacities(EVERY_ROLE, lengths, targets):
        if found.feasible:
            assert (found.ttft_ms or 0.0) <= ttft_ms
            assert (found.tpot_ms or 0.0) <= tpot_ms


def test_overload_at_some_batch_does_not_blur_the_stated_latency() -> None:
    # with many requests running, prompts take every step: the mean there is a million steps
    targets = Targets(ttft_ms=1000, tpot_ms=40)
    lengths = LengthDistribution.fixed(500, 5)
    crowded = instance(max_num_seqs=1024, max_num_batched_tokens=16384)
    [found] = capacities([crowded], lengths, targets)
    state = Load([crowded], lengths).at_rate(np.array([found.rate_per_s]))
    assert found.tpot_ms is not None
    share = tpot_share(Load([crowded], lengths), state, np.array([found.tpot_ms * (1 - 1e-5)]))
    assert share[0] < 0.95
    assert found.tpot_ms <= 40


@pytest.mark.parametrize("budget", [512, 2048])
def test_no_token_takes_longer_than_a_step_full_of_prompts(budget: int) -> None:
    """Short answers, long prompts: a small budget bounds every step, a large one does not."""
    few = LengthDistribution.fixed(2000, 30)
    one = instance(max_num_batched_tokens=budget)
    load = Load([one], few)
    state = load.at_rate(0.85 * load.max_rate_per_s)
    step = (load._step + load._full_step).max()
    assert tpot_share(load, state, np.array([step * 1.001]))[0] == pytest.approx(1.0, abs=1e-6)
    (found,) = capacities([one], few, Targets(ttft_ms=2000, tpot_ms=step * 1.001))
    assert found.limit != "tpot"


def test_a_small_budget_carries_what_simulation_says() -> None:
    """Code completion: 512 tokens a step keep a target that 2,048 miss at half the rate."""
    few = LengthDistribution(
        levels=np.array([0.0, 0.5, 1.0]),
        input_tokens=np.array([100.0, 1500.0, 7500.0]),
        bands=np.array([1.0]),
        output_tokens=np.array([[5.0, 15.0, 150.0]]),
        source="test",
    )
    targets = Targets(ttft_ms=1500, tpot_ms=30)
    small, large = (instance(max_num_batched_tokens=budget) for budget in (512, 2048))
    rates = [found.rate_per_s for found in capacities([small, large], few, targets)]
    inputs, outputs = few.sample(5000, 1)
    inputs, outputs = np.maximum(inputs, 1), np.maximum(outputs, 1)

    def met(one: InstanceModel, rate: float) -> bool:
        run = simulate(one, inputs, outputs, arrivals_s=arrivals_s(5000, rate, seed=2))
        counted = slice(1000, -500)
        first, further = run.ttft_ms[counted], run.tpot_ms[counted]
        kept = np.percentile(first, 95) <= targets.ttft_ms, np.nanpercentile(further, 95) <= targets.tpot_ms
        return all(kept)

    for one, rate in zip((small, large), rates, strict=True):
        assert met(one, 0.85 * rate)
        assert not met(one, 1.3 * rate)
    assert rates[0] > 1.5 * rates[1]
