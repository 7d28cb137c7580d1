"""Tables refuse what cannot be a measurement."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInput, UnknownName
from models.profiles.parquet import read_table, write_table
from models.profiles.table import OperationTable


def build(**changes: object) -> OperationTable:
    columns: dict[str, object] = {
        "library": "numpy",
        "dtype": ["fp32", "bf16", "fp32"],
        "m": [1, 2, 4],
        "n": 8,
        "k": 8,
        "latency_us": [1.0, 2.0, 3.0],
    }
    merged = columns | changes
    return OperationTable.build("gemm", {k: v for k, v in merged.items() if v is not None})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": None}, "gemm: column 'k' is missing"),
        ({"m": [1, 2]}, "column 'm' has shape"),
        ({"m": [1, 2, 0]}, r"gemm\.m: less than 1 in 1 of 3 rows, first in row 2"),
        ({"m": [1, 2, 2.5]}, "whole numbers"),
        ({"m": ["a", "b", "c"]}, "cannot be read as numbers"),
        ({"latency_us": [1.0, np.nan, 3.0]}, "not a positive number in 1 of 3"),
        ({"latency_us": [1.0, -2.0, 0.0]}, "not a positive number in 2 of 3"),
        ({"library": ""}, "empty in 3 of 3"),
        ({"dtype": "fp32", "m": 4}, "2 points appear twice"),
        ({"p10_latency_us": 2.0, "p90_latency_us": 9.0}, "p10 ≤ median ≤ p90"),
        ({"samples": -1}, "negative"),
    ],
)
def test_bad_columns(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        build(**changes)


def test_unknown_names_have_suggestions() -> None:
    with pytest.raises(UnknownName, match="did you mean 'latency_us'"):
        build(latency_u=1.0)
    with pytest.raises(UnknownName, match="unknown dtype 'bf61'; did you mean 'bf16'"):
        build(dtype=["fp32", "bf61", "fp32"])
    with pytest.raises(UnknownName, match="column of gemm 'q'"):
        build()["q"]


def test_selection_and_types() -> None:
    table = build(p10_latency_us=[0.9, 1.8, 2.7], p90_latency_us=[1.2, 2.2, 3.3])

    assert table["m"].dtype == np.int64
    assert table["contended"].dtype == np.bool_
    assert table.labels("dtype") == ("bf16", "fp32")
    assert list(table.where(dtype="fp32")["m"]) == [1, 4]
    assert list(table.where(dtype=["bf16", "fp32"], m=[2, 4])["m"]) == [2, 4]
    np.testing.assert_allclose(table.relative_spread, [0.3, 0.2, 0.2])
    assert not table["m"].flags.writeable


POINTS = st.lists(
    st.tuples(st.sampled_from(["fp32", "bf16", "fp8"]), st.integers(1, 2**53), st.integers(1, 9)),
    min_size=1,
    max_size=30,
    unique=True,
)


@given(points=POINTS)
def test_combined_columns_order_and_tell_apart_rows_as_the_columns_do(
    points: list[tuple[str, int, int]],
) -> None:
    dtypes, m, n = zip(*points, strict=True)
    table = build(dtype=dtypes, m=m, n=n, latency_us=[1.0] * len(points))
    columns = ("dtype", "m", "n")
    key = table.combined(columns)
    assert [points[i] for i in np.argsort(key, kind="stable")] == sorted(points)
    for name in columns:
        values, places = table.codes(name)
        assert (values[places] == table[name]).all()
        assert values.tolist() == sorted(set(table[name].tolist()))


def test_more_combinations_than_a_number_holds_are_told_apart() -> None:
    table = build()
    many = np.broadcast_to(np.int64(0), (2**40,))  # as if there were so many values
    table._codes["k"] = many, np.array([0, 1, 2**39])
    table._codes["n"] = many, np.array([5, 5, 5])
    assert len(set(table.combined(["k", "n", "m"]).tolist())) == 3


def test_a_table_read_back_knows_the_codes_of_its_labels(tmp_path: Path) -> None:
    written = build(dtype=["fp8", "bf16", "fp32"])
    write_table(written, tmp_path / "gemm.parquet")
    read = read_table(tmp_path / "gemm.parquet", "gemm")
    for name in ("library", "dtype"):
        values, places = np.unique(read[name], return_inverse=True)
        assert read.codes(name)[0].tolist() == values.tolist()
        assert read.codes(name)[1].tolist() == places.tolist()
