"""The fitted roofline recovers the rates of a device that is one."""

import numpy as np
import pytest

from models.profiles.reference import fit_reference


def test_rates_of_an_ideal_device_are_recovered() -> None:
    rng = np.random.default_rng(1)
    flop, traffic = np.exp(rng.uniform(10, 30, (2, 200)))
    fitted = fit_reference(flop, traffic, 3.0 + flop / 400e6 + traffic / 2e6)

    assert fitted.tflops == pytest.approx(400)
    assert fitted.gigabytes_per_second == pytest.approx(2000)
    assert fitted.fixed_us == pytest.approx(3)


def test_what_never_limits_has_an_infinite_rate() -> None:
    size = np.exp(np.arange(5.0, 20))
    fitted = fit_reference(np.zeros_like(size), size, 1 + size / 1e3)

    assert fitted.tflops == float("inf")
    assert fitted.gigabytes_per_second == pytest.approx(1)
