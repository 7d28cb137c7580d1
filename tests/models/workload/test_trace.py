import numpy as np
import pytest

from models.errors import InvalidInput
from models.workload import Trace


def trace(arrivals: list[float]) -> Trace:
    ones = np.ones(len(arrivals), dtype=np.int64)
    return Trace(arrivals_s=np.array(arrivals), input_tokens=10 * ones, output_tokens=ones, source="t")


def test_rate_counts_intervals() -> None:
    assert trace([0.0, 1.0, 2.0, 3.0, 4.0]).rate_per_s == 1.0
    assert trace([0.0, 1.0, 4.0]).scaled(2.0).rate_per_s == 1.0
    assert trace([0.0, 1.0, 4.0]).scaled(2.0).duration_s == 2.0


def test_a_trace_without_duration_has_no_rate() -> None:
    with pytest.raises(InvalidInput, match="spans no time"):
        _ = trace([0.0, 0.0]).rate_per_s


def test_window_rates() -> None:
    rates = trace([0.0, 0.5, 1.5, 3.9, 4.5]).window_rates_per_s(2.0)
    assert rates.tolist() == [1.5, 0.5]
    assert trace([0.0, 0.5]).window_rates_per_s(2.0).tolist() == [1.0]


@pytest.mark.parametrize(
    ("arrivals", "message"),
    [([], "at least one"), ([1.0, 0.0], "ascending"), ([0.0, float("nan")], "finite")],
)
def test_broken_arrivals_are_refused(arrivals: list[float], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        trace(arrivals)


def test_requests_without_tokens_are_refused() -> None:
    with pytest.raises(InvalidInput, match="request 1 has 0"):
        Trace(
            arrivals_s=np.zeros(2),
            input_tokens=np.array([3, 0]),
            output_tokens=np.array([1, 1]),
            source="t",
        )


def test_arrays_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        trace([0.0, 1.0]).arrivals_s[0] = 5.0
