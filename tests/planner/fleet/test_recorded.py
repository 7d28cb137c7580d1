import numpy as np

from models.workload import Trace
from planner.fleet.recorded import Recorded

TRACE = Trace(
    arrivals_s=np.array([5.0, 6.0, 15.0, 16.0, 17.0]),
    input_tokens=np.array([1, 2, 3, 4, 5]),
    output_tokens=np.array([5, 4, 3, 2, 1]),
    source="t",
)


def test_a_whole_trace_is_one_part_whatever_the_period():
    recorded = Recorded(trace=TRACE, rates_per_s=(2.0,))
    for period in (0, 3):
        part = recorded.part(period)
        np.testing.assert_allclose(part.arrivals_s, [0, 1, 10, 11, 12])
        assert part.rate_per_s == 2.0


def test_a_period_holds_what_arrived_in_it():
    recorded = Recorded(trace=TRACE, rates_per_s=(1.0, 3.0, 0.0), period_s=10.0)
    part = recorded.part(1)
    np.testing.assert_allclose(part.arrivals_s, [0, 1, 2])
    np.testing.assert_array_equal(part.input_tokens, [3, 4, 5])
    np.testing.assert_array_equal(part.output_tokens, [3, 2, 1])
    assert part.rate_per_s == 3.0
    assert recorded.part(2) is None
