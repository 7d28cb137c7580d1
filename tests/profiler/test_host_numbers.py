"""Numbers from the pool are normal, differ by seed, and are nobody else's memory."""

import numpy as np

from profiler.host_numbers import normal_numbers, random_bytes


def test_shape_and_distribution() -> None:
    x = normal_numbers((300, 1000), seed=3)

    assert (x.shape, x.dtype) == ((300, 1000), np.float32)
    assert abs(float(x.mean())) < 0.02
    assert abs(float(x.std()) - 1) < 0.02


def test_seeds_differ_and_repeat() -> None:
    np.testing.assert_array_equal(normal_numbers((50,), 1), normal_numbers((50,), 1))
    assert not np.array_equal(normal_numbers((50,), 1), normal_numbers((50,), 2))


def test_larger_than_the_pool() -> None:
    x = normal_numbers((5_000_000,), seed=9)

    assert np.isfinite(x).all()
    assert np.unique(x[:1000]).size > 990


def test_memory_is_separate() -> None:
    x = normal_numbers((10,), 1)
    x[:] = 0

    assert normal_numbers((10,), 1).any()


def test_bytes() -> None:
    data = random_bytes(1001, 4)

    assert (data.size, data.dtype) == (1001, np.uint8)
    assert np.unique(data).size > 200
