"""Arrivals that are not Poisson: the renewal function, the kernels beside the arrays, and the simulator."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammainc

from models.architecture import architecture
from models.errors import InvalidInput
from models.hardware import gpu
from models.serving import Configuration, InstanceModel, Parallelism, Targets, capacities, engine, operate
from models.serving.analysis.table import capacities_by_kernel
from models.serving.companions import companions
from models.serving.simulator import simulate
from models.workload import Burstiness, LengthDistribution, arrivals_s
from models.workload.arrivals import variation_of

ONE = InstanceModel.of(
    Configuration(
        architecture=architecture("llama-3.1-8b"), gpu=gpu("h100"), parallelism=Parallelism(),
        engine=engine("vllm"), max_num_batched_tokens=2048,
    )
)  # fmt: skip
TARGETS = Targets(ttft_ms=300, tpot_ms=20)
LENGTHS = LengthDistribution.fixed(1000, 200)


@pytest.mark.parametrize("squared", [2.0, 4.0, 10.0])
def test_more_follow_a_request_in_bursts_as_the_renewal_function_says(squared: float) -> None:
    expected = np.array([0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0])
    shape = 1.0 / squared
    many = np.arange(1, 4000)[:, None] * shape
    exact = gammainc(many, expected * shape).sum(axis=0) - expected
    found = companions(expected, np.full(expected.size, squared - 1.0))
    np.testing.assert_allclose(found, exact, atol=0.15 * (squared - 1.0) / 2.0)


@given(expected=st.floats(0.0, 1e3), uneven=st.floats(-1.0, 100.0))
def test_never_fewer_than_none_nor_more_than_in_the_long_run(expected: float, uneven: float) -> None:
    found = float(companions(np.array(expected), np.array(uneven)))
    assert expected + found >= 0.0
    assert min(uneven, 0.0) / 2.0 <= found <= max(uneven, 0.0) / 2.0


@settings(deadline=None)  # the first example compiles
@given(shape=st.floats(0.1, 10.0), total=st.floats(0.1, 100.0))
def test_the_kernels_say_what_the_arrays_say(shape: float, total: float) -> None:
    bursts = Burstiness(shape=shape, rate_per_s=total)
    (slow,) = capacities([ONE], LENGTHS, TARGETS, burstiness=bursts)
    (fast,) = capacities_by_kernel([ONE], LENGTHS, TARGETS, burstiness=bursts)
    assert fast.rate_per_s == pytest.approx(slow.rate_per_s, rel=1e-9)
    assert fast.ttft_ms == pytest.approx(slow.ttft_ms, rel=1e-5)
    assert fast.tpot_ms == pytest.approx(slow.tpot_ms, rel=1e-5)


def test_bursts_cost_capacity_and_a_small_part_of_a_stream_less() -> None:
    poisson, whole, part = (
        capacities([ONE], LENGTHS, TARGETS, burstiness=bursts)[0].rate_per_s
        for bursts in (Burstiness(), Burstiness(shape=0.1), Burstiness(shape=0.1, rate_per_s=200.0))
    )
    assert whole < part < poisson


def test_burstiness_of_one_is_poisson() -> None:
    plain, said = (
        capacities([ONE], LENGTHS, TARGETS, burstiness=b)[0]
        for b in (Burstiness(), Burstiness(shape=1.0, rate_per_s=3.0))
    )
    assert plain == said


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_percentiles_agree_with_the_simulator(share: float) -> None:
    """Gaps with a coefficient of variation of 2, all of the stream to one instance."""
    bursts = Burstiness(shape=0.25)
    (most,) = capacities([ONE], LENGTHS, TARGETS, burstiness=bursts)
    rate = share * most.rate_per_s
    (found,) = operate([ONE], LENGTHS, np.array([rate]), TARGETS, burstiness=bursts)
    times = arrivals_s(8000, rate, variation=variation_of(0.25), seed=1)
    run = simulate(ONE, np.full(8000, 1000), np.full(8000, 200), arrivals_s=times)
    assert found.ttft_ms == pytest.approx(float(np.percentile(run.ttft_ms[1000:], 95)), rel=0.35)
    assert found.tpot_ms == pytest.approx(float(np.percentile(run.tpot_ms[1000:], 95)), rel=0.35)


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"shape": 0.0}, "burstiness must be"), ({"shape": float("nan")}, "burstiness must be"),
     ({"rate_per_s": 0.0}, "rate must be"), ({"rate_per_s": float("inf")}, "rate must be")],
)  # fmt: skip
def test_values_that_cannot_be(fields: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Burstiness(**fields)
