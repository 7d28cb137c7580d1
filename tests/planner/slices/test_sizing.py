import numpy as np
import pytest

from planner.slices import GpuOption, SizeBucket, read_sizing, size_by_slices

BUCKETS = tuple(SizeBucket(input_tokens=1, output_tokens=1, rate_per_s=30 * s) for s in (0.2, 0.1, 0.5, 0.2))
OPTIONS = (
    GpuOption(name="A10G", price_per_hour=1.01, throughput_per_s=(2, 1, 5, 2)),
    GpuOption(name="A100", price_per_hour=3.67, throughput_per_s=(20, 20, 40, 20)),
)


def test_an_assignment_reads_as_counts_and_shares():
    sizing = read_sizing(BUCKETS, OPTIONS, 2, np.array([0, 1, 1, 1, 1, 1, 0, 0]))
    assert sizing.counts == {"A10G": 5, "A100": 1}  # 1.5 + 3 A10G; 0.15 + 0.15 + 0.375 A100
    assert sizing.price_per_hour == pytest.approx(5 * 1.01 + 3.67)
    assert sizing.shares.tolist() == [[0.5, 0.5], [0, 1], [0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("factor", "counts", "price"),
    [(1, (3, 1), 6.70), (2, (2, 1), 5.69), (3, (1, 1), 4.68), (4, (2, 1), 5.69)],
)
def test_the_published_example_is_solved_to_proven_optimality(factor, counts, price):
    sizing = size_by_slices(BUCKETS, OPTIONS, slices_per_bucket=factor)
    assert sizing.status == "optimal"
    assert sizing.counts == {"A10G": counts[0], "A100": counts[1]}
    assert sizing.price_per_hour == pytest.approx(price)


def test_too_little_supply_is_a_result():
    one = tuple(
        GpuOption(name=o.name, price_per_hour=1.0, throughput_per_s=o.throughput_per_s, supply=0)
        for o in OPTIONS
    )
    sizing = size_by_slices(BUCKETS, one, slices_per_bucket=1)
    assert sizing.status == "infeasible"
    assert sizing.counts == {}
