"""Tables refuse what cannot be a measurement."""

import numpy as np
import pytest

from models.errors import InvalidInput, UnknownName
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
