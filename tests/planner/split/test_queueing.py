import math

import pytest

from models.errors import InvalidInput
from planner.split import crossover_utilization, mean_ttft, mean_ttft_pipeline, mean_ttft_tensor


def test_the_formulas_of_the_paper():
    d, r, k = 0.1, 6.0, 1.5
    assert mean_ttft(r, d) == pytest.approx(d + r * d**2 / (2 * (1 - r * d)))
    assert mean_ttft_pipeline(r, d) == pytest.approx(d + r * d**2 / (4 * (2 - r * d)))
    assert mean_ttft_tensor(r, d, speed_up=k) == pytest.approx(d / k + r * d**2 / (2 * k * (k - r * d)))
    assert mean_ttft(r, d, replicas=2) == pytest.approx(mean_ttft(r / 2, d))


@pytest.mark.parametrize(("k", "u"), [(1.2, 0.434), (1.42, 0.808), (1.5, 0.936), (1.7, 1.257), (1.9, 1.626)])
def test_crossovers(k, u):
    assert crossover_utilization(k) == pytest.approx(u, abs=1e-3)
    below, above = (
        mean_ttft_tensor(u * f, 1, speed_up=k) - mean_ttft_pipeline(u * f, 1) for f in (0.98, 1.02)
    )
    assert below < 0 < above


def test_overload_waits_for_ever():
    assert mean_ttft(11, 0.1) == math.inf


@pytest.mark.parametrize("k", [1.0, 2.0])
def test_no_crossover_outside_the_open_interval(k):
    with pytest.raises(InvalidInput, match="between 1 and 2"):
        crossover_utilization(k)
