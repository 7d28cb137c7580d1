"""Measurements from CSV files."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import InvalidInput
from planner.rebalance.series import Wanted
from planner.rebalance.table import CsvSource

CHAT = Wanted(workload="chat", model="chat", ttft_percentile=95, tpot_percentile=95)


def read(folder: Path, text: str):
    path = folder / "load.csv"
    path.write_text(text)
    return CsvSource(path).read([CHAT], end_s=1000, length_s=500)


def test_rows_of_the_window_in_order(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "time_s,workload,rate_per_s,ttft_ms\n900,chat,3,\n800,chat,2,150\n100,chat,1,1\n2000,chat,9,9\n",
    )
    assert found["chat"].rate_per_s.times_s.tolist() == [800, 900]
    assert found["chat"].rate_per_s.values.tolist() == [2, 3]
    assert found["chat"].ttft_ms is not None
    assert found["chat"].tpot_ms is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "columns must be"),
        ("time_s,workload,rate\n1,chat,1\n", "columns must be"),
        ("time_s,workload,rate_per_s\n900,chat,many\n", ":2: .*'many' is no number"),
        ("time_s,workload,rate_per_s\n,chat,1\n", ":2: .*without a time"),
        ("time_s,workload,rate_per_s\n900,chat,1\n900,chat,2\n", "two rows of one time"),
        ("time_s,workload,rate_per_s\n900,cat,1\n", "'cat' is none of the fleet's: chat"),
        ("time_s,workload,rate_per_s\n100,chat,1\n", "no row of workload 'chat' is from the last"),
        ("time_s,workload,rate_per_s\n900,chat,\n", "has no rate"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read(tmp_path, text)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot read the measurements"):
        CsvSource(tmp_path / "none.csv").read([CHAT], end_s=1, length_s=1)
