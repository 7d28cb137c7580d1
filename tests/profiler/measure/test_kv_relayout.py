"""Re-cutting a cache: bytes arrive where the new ranks look for them, whichever way."""

import numpy as np
import pytest

from profiler.devices.numpy_cpu import NumpyCpu
from profiler.job import Point
from profiler.measure.kv_relayout import KvRelayout
from profiler.space import Request, Space


@pytest.mark.parametrize(("a", "b"), [(1, 4), (4, 1)])
def test_it_runs_both_ways(a: int, b: int) -> None:
    point: Point = {
        "library": "x", "dtype": "fp32", "place": "host", "num_tokens": 16, "num_layers": 2,
        "num_kv_heads": 8, "head_dim": 32, "from_tp": a, "to_tp": b,
    }  # fmt: skip
    job = KvRelayout().job(NumpyCpu(), point, 0)
    call = job.calls[0]
    call()
    cells = [cell.cell_contents for cell in call.__closure__ or ()]  # type: ignore[attr-defined]
    by_rank = next(c for c in cells if isinstance(c, np.ndarray) and c.shape[0] == 4)
    raw = next(c for c in cells if isinstance(c, np.ndarray) and c.shape[0] == 2)
    np.testing.assert_array_equal(by_rank[3], raw[:, :, :, 3])


def test_only_cuts_that_divide_the_heads_are_offered() -> None:
    request = Request(models=("llama-3.1-8b",), tensor_parallel_sizes=(1, 2, 16))
    (space,) = (s for s in KvRelayout().spaces(NumpyCpu(), request) if isinstance(s, Space))
    axes = [a.name for a in space.schema.axes]
    for row in space.candidates:
        point = dict(zip(axes, row, strict=True))
        pieces = max(point["from_tp"], point["to_tp"]) / min(point["from_tp"], point["to_tp"])
        assert point["num_kv_heads"] % pieces == 0
        assert point["from_tp"] != point["to_tp"]
