"""Candidate points: distinct, in schema order, with their categories."""

import numpy as np
import pytest

from models.errors import InvalidInput
from profiler.space import Request, Space


def test_candidates_are_distinct_and_complete() -> None:
    rows = [{"m": m, "n": 8, "k": 4} for m in (4, 1, 4)]
    space = Space.of("gemm", {"library": "x", "dtype": "fp32"}, rows)

    np.testing.assert_array_equal(space.candidates, [[1, 8, 4], [4, 8, 4]])
    assert space.point(1) == {"library": "x", "dtype": "fp32", "m": 4.0, "n": 8.0, "k": 4.0}
    assert space.name == "gemm fp32"
    flop, traffic = space.work()
    assert flop.tolist() == [64, 256]
    assert np.all(traffic > 0)


def test_a_space_without_axes() -> None:
    space = Space("power", {"library": "x", "load": "idle"}, np.zeros((1, 0)))

    assert len(space) == 1
    assert space.point(0) == {"library": "x", "load": "idle"}
    assert space.coordinates().shape == (1, 0)


@pytest.mark.parametrize("change", [{"max_tokens": 0}, {"tensor_parallel_sizes": ()}, {"max_batch_size": -1}])
def test_bad_requests(change: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match=r"at least 1|whole numbers"):
        Request(**change)  # type: ignore[arg-type]


def test_wanted_formats() -> None:
    assert Request().wants(("bf16", "fp8")) == ("bf16", "fp8")
    assert Request(formats=("fp8",)).wants(("bf16", "fp8")) == ("fp8",)
