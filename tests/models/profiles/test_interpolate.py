"""The ladder: exact, interpolated, extrapolated by utilisation, refused with a reason."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvalidInput, Unavailable, UnknownName
from models.profiles.interpolate import Basis, Interpolator
from models.profiles.schema import operation
from models.profiles.table import OperationTable

M = 2.0 ** np.arange(0, 13, 2)
NK = np.array([1024.0, 4096.0, 16384.0])


def roofline_us(m: np.ndarray, n: np.ndarray, k: np.ndarray) -> np.ndarray:
    """A device of 500 TFLOP/s and 3 TB/s whose kernels cost 4 µs and lose half their speed on small n."""
    flop, traffic = 2 * m * n * k, 2 * (m * k + n * k + m * n)
    return 4 + flop / 500e6 + traffic / 3e6 * (1 + 1000 / n)


def grid(keep: object = None) -> OperationTable:
    m, n, k = (a.ravel() for a in np.meshgrid(M, NK, NK, indexing="ij"))
    if keep is not None:
        chosen = np.asarray(keep(m, n, k))  # type: ignore[operator]
        m, n, k = m[chosen], n[chosen], k[chosen]
    return OperationTable.build(
        "gemm", {"library": "x", "dtype": "bf16", "m": m, "n": n, "k": k, "latency_us": roofline_us(m, n, k)}
    )


def test_measured_points_come_back_exactly() -> None:
    table = grid()
    answer = Interpolator(table).estimate({c: table[c] for c in ("dtype", "m", "n", "k")})

    np.testing.assert_array_equal(answer.value, table.value)
    assert set(answer.basis) == {Basis.EXACT}
    assert np.all(answer.relative_error == 0)


def test_between_points_within_a_few_percent() -> None:
    rng = np.random.default_rng(0)
    m = np.exp2(rng.uniform(0, 12, 400))
    n, k = np.exp2(rng.uniform(10, 14, (2, 400)))
    answer = Interpolator(grid()).estimate({"m": m, "n": n, "k": k})
    error = np.abs(answer.value / roofline_us(m, n, k) - 1)

    assert set(answer.basis) <= {Basis.INTERPOLATED}
    assert np.median(error) < 0.03
    assert error.max() < 0.15
    assert np.all(answer.relative_error > 0)


def test_outside_the_utilisation_at_the_edge_is_held() -> None:
    interpolator = Interpolator(grid())
    edge = {"m": 4096.0, "n": 16384.0, "k": 16384.0}
    far = edge | {"m": 4096.0 * 8}
    group = next(iter(interpolator.groups.values()))
    assert group.reference is not None
    model = operation("gemm").work
    assert model is not None

    def reference(point: dict[str, float]) -> float:
        columns = {"dtype": np.array(["bf16"])} | {c: np.array([v]) for c, v in point.items()}
        assert group.reference is not None
        return float(group.reference.latency_us(*model(columns))[0])

    at_edge, outside = interpolator.estimate(edge), interpolator.estimate(far)

    assert outside.basis[0] == Basis.EXTRAPOLATED
    utilisation = reference(edge) / at_edge.value[0]
    assert reference(far) / outside.value[0] == pytest.approx(utilisation, rel=1e-9)
    assert outside.value[0] == pytest.approx(
        roofline_us(*(np.array(v) for v in (4096.0 * 8, 16384.0, 16384.0))), rel=0.05
    )
    assert outside.relative_error[0] > 0


def test_a_missing_corner_is_not_inside() -> None:
    table = grid(lambda m, n, k: ~((m == M[-1]) & (n == NK[-1])))
    interpolator = Interpolator(table)

    corner = interpolator.estimate({"m": 4000.0, "n": 16000.0, "k": 4096.0})
    inner = interpolator.estimate({"m": 4000.0, "n": 4000.0, "k": 4096.0})
    assert corner.basis[0] == Basis.EXTRAPOLATED
    assert inner.basis[0] == Basis.INTERPOLATED


def test_too_far_is_refused_with_the_axis_and_range() -> None:
    answer = Interpolator(grid()).estimate({"m": [64.0, 1e7], "n": 4096.0, "k": 4096.0})

    assert answer.basis.tolist() == [Basis.EXACT, Basis.REFUSED]
    assert np.isnan(answer.value[1])
    with pytest.raises(
        Unavailable, match=r"m = 1e\+07 is more than a factor of 16 outside the measured 1 to 4096"
    ):
        answer.require()


def test_unmeasured_categories_are_refused() -> None:
    answer = Interpolator(grid()).estimate({"dtype": ["bf16", "fp8"], "m": 64.0, "n": 4096.0, "k": 4096.0})

    assert answer.basis.tolist() == [Basis.EXACT, Basis.REFUSED]
    assert answer.reasons == ("gemm: dtype 'fp8' was not measured; the table has bf16",)


def test_few_points_answer_only_for_themselves() -> None:
    table = grid(lambda m, n, k: (n == NK[0]) & (k == NK[0]) & (m < 8))
    assert len(table) == 2
    answer = Interpolator(table).estimate({"m": [1.0, 2.0], "n": NK[0], "k": NK[0]})

    assert answer.basis.tolist() == [Basis.EXACT, Basis.REFUSED]
    assert "too few points" in answer.reasons[0]


def test_operations_without_axes() -> None:
    table = OperationTable.build(
        "power", {"library": "x", "load": ["idle", "gemm"], "power_watts": [70.0, 690.0]}
    )
    answer = Interpolator(table).estimate({"load": ["gemm", "idle", "prefill"]})

    np.testing.assert_array_equal(answer.value, [690.0, 70.0, np.nan])
    assert answer.basis.tolist() == [Basis.EXACT, Basis.EXACT, Basis.REFUSED]


@pytest.mark.parametrize(
    ("queries", "error", "message"),
    [
        ({"m": 1, "n": 2}, InvalidInput, r"gemm\.k: state this column"),
        ({"m": 1, "n": 2, "kk": 3}, UnknownName, "column 'kk'"),
        ({"m": [1, 2], "n": [1, 2, 3], "k": 1}, InvalidInput, "has shape"),
        ({"m": 0.5, "n": 2, "k": 3}, InvalidInput, r"gemm\.m: must be at least 1"),
        ({"m": np.nan, "n": 2, "k": 3}, InvalidInput, r"gemm\.m: must be at least 1"),
    ],
)
def test_bad_queries(queries: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Interpolator(grid()).estimate(queries)


def test_an_ambiguous_category_must_be_stated() -> None:
    columns = {"library": ["a", "b"], "dtype": "bf16", "m": 1, "n": 1, "k": 1, "latency_us": [1.0, 2.0]}
    with pytest.raises(InvalidInput, match="state 'library': the table has a, b"):
        Interpolator(OperationTable.build("gemm", columns)).estimate({"m": 1, "n": 1, "k": 1})


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 100), st.integers(0, 10_000))
def test_scaling_every_latency_scales_every_answer(factor: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    m = rng.integers(1, 60_000, 20)
    n, k = rng.integers(200, 100_000, (2, 20))
    table = grid()
    scaled = OperationTable(table.schema, table.columns | {"latency_us": table.value * factor})
    first = Interpolator(table).estimate({"m": m, "n": n, "k": k})
    second = Interpolator(scaled).estimate({"m": m, "n": n, "k": k})

    np.testing.assert_array_equal(first.basis, second.basis)
    answered = first.basis != Basis.REFUSED
    assert np.all(first.value[answered] > 0)
    np.testing.assert_allclose(second.value, first.value * factor, rtol=1e-6)
