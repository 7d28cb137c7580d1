import os
from pathlib import Path

import pytest

from models.errors import InvalidInput
from planner.resharding import AllReduceBandwidth, AllReduceTable

DATA = Path(os.environ.get("FULCRUM_DATA", Path(__file__).parents[4] / "shared" / "data")) / "network"


def test_alone_there_is_nothing_to_reduce():
    assert AllReduceBandwidth(bytes_per_s={}).seconds(1, 1e9) == 0.0


def test_time_is_latency_plus_bytes_over_bandwidth():
    given = AllReduceBandwidth(bytes_per_s={2: 10e9}, latency_s=1e-5)
    assert given.seconds(2, 1e6) == pytest.approx(1e-5 + 1e-4)
    assert given.scaled(2.0).seconds(2, 1e6) == pytest.approx(1e-5 + 0.5e-4)


def test_an_unmeasured_group_is_refused():
    with pytest.raises(InvalidInput, match="among 4 GPUs, only among 2"):
        AllReduceBandwidth(bytes_per_s={2: 10e9}).seconds(4, 1.0)


def test_a_table_interpolates_and_takes_the_slowest_rank(tmp_path):
    path = tmp_path / "all_reduce.csv"
    path.write_text(
        "time_stats.all_reduce.median,num_workers,size,devices_per_node\n"
        "1.0,2,1000,2\n2.0,2,1000,2\n4.0,2,3000,2\n9.0,2,1000,1\n"
    )
    table = AllReduceTable.read(path)
    assert table.seconds(2, 2000) == pytest.approx(3e-3)
    assert table.seconds(2, 6000) == pytest.approx(8e-3)
    assert AllReduceTable.read(path, devices_per_node=1).seconds(2, 1000) == pytest.approx(9e-3)


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput, match="not a table of all-reduce times"):
        AllReduceTable.read(path)


@pytest.mark.skipif(not DATA.exists(), reason="the shared measurement files are not here (FULCRUM_DATA)")
def test_pairwise_nvlink_collapses_at_four_ranks_and_a_full_switch_does_not():
    pairs = AllReduceTable.read(DATA / "a100_pairwise_nvlink_all_reduce.csv")
    dgx = AllReduceTable.read(DATA / "a100_dgx_all_reduce.csv")
    size = 64e6
    assert pairs.bandwidth(2, size) > 10 * pairs.bandwidth(4, size)
    assert dgx.bandwidth(2, size) < 2 * dgx.bandwidth(4, size)
