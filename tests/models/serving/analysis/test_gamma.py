import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammainc

from models.serving.analysis.gamma import regularised_gamma


@settings(max_examples=300, deadline=None)
@given(log_shape=st.floats(-3, 6), spread=st.floats(-8, 8))
def test_equals_scipy(log_shape: float, spread: float) -> None:
    shape = 10.0**log_shape
    x = shape * np.exp(spread / np.sqrt(max(shape, 1.0)))
    assert regularised_gamma(shape, x) == pytest.approx(gammainc(shape, x), abs=2e-12)


def test_ends_of_the_range() -> None:
    assert regularised_gamma(3.0, 0.0) == 0.0
    assert regularised_gamma(3.0, 1e9) == 1.0
    assert regularised_gamma(1e8, 1.0) == 0.0
    assert regularised_gamma(1.0, 2.0) == pytest.approx(1.0 - np.exp(-2.0), rel=1e-15)
