from itertools import combinations_with_replacement, product

import numpy as np
import pytest

from models.errors import InvalidInput
from models.graph import evaluate
from planner.slices import GpuOption, SizeBucket, slice_graph

# The example of the Mélange repository: four buckets in these shares of 30 requests a second.
SHARES = (0.2, 0.1, 0.5, 0.2)
BUCKETS = tuple(SizeBucket(input_tokens=1, output_tokens=1, rate_per_s=30 * s) for s in SHARES)
A10G = GpuOption(name="A10G", price_per_hour=1.01, throughput_per_s=(2, 1, 5, 2))
A100 = GpuOption(name="A100", price_per_hour=3.67, throughput_per_s=(20, 20, 40, 20))


def cheapest(buckets, options, factor):
    """Every way to give the slices of each bucket to the options, order within a bucket left out."""
    graph = slice_graph(buckets, options, factor)
    ways = list(combinations_with_replacement(range(len(options)), factor))
    found = [evaluate(graph, np.array(w).reshape(-1)) for w in product(ways, repeat=len(buckets))]
    return min((float(e.tiers[0]) for e in found if e.feasible), default=None)


@pytest.mark.parametrize(("factor", "price"), [(1, 6.70), (2, 5.69), (3, 4.68), (4, 5.69)])
def test_the_published_example_costs_what_was_published(factor, price):
    assert cheapest(BUCKETS, (A10G, A100), factor) == pytest.approx(price)


def test_the_value_is_the_formula_for_any_assignment():
    rng = np.random.default_rng(1)
    graph = slice_graph(BUCKETS, (A10G, A100), 3)
    throughput = np.array([A10G.throughput_per_s, A100.throughput_per_s])
    for _ in range(50):
        assignment = rng.integers(0, 2, 12)
        price = 0.0
        for j, option in enumerate((A10G, A100)):
            load = sum(10 * SHARES[o // 3] / throughput[j, o // 3] for o in range(12) if assignment[o] == j)
            price += option.price_per_hour * np.ceil(load - 1e-9)
        assert evaluate(graph, assignment).tiers[0] == pytest.approx(price)


def test_supply_is_a_hard_limit():
    scarce = GpuOption(name="A100", price_per_hour=3.67, throughput_per_s=A100.throughput_per_s, supply=0)
    assert cheapest(BUCKETS, (A10G, scarce), 1) == pytest.approx(12 * 1.01)
    few = GpuOption(name="A10G", price_per_hour=1.01, throughput_per_s=A10G.throughput_per_s, supply=1)
    assert cheapest(BUCKETS, (few, scarce), 1) is None


def test_a_type_that_misses_the_targets_of_a_bucket_gets_none_of_it():
    blind = GpuOption(name="A10G", price_per_hour=1.01, throughput_per_s=(0, 0, 0, 0))
    assert cheapest(BUCKETS, (blind, A100), 2) == pytest.approx(2 * 3.67)
    graph = slice_graph(BUCKETS, (blind, A100), 1)
    assert not evaluate(graph, np.array([0, 1, 1, 1])).feasible


def test_a_bucket_without_demand_may_stay_unassigned():
    quiet = (*BUCKETS, SizeBucket(input_tokens=9, output_tokens=9, rate_per_s=0))
    never = [
        GpuOption(name=o.name, price_per_hour=o.price_per_hour, throughput_per_s=(*o.throughput_per_s, 0))
        for o in (A10G, A100)
    ]
    graph = slice_graph(quiet, never, 1)
    assert evaluate(graph, np.array([0, 1, 1, 1, -1])).feasible


def test_a_bucket_nobody_serves_is_an_input_error():
    dead = GpuOption(name="A10G", price_per_hour=1.01, throughput_per_s=(2, 1, 5, 0))
    with pytest.raises(InvalidInput, match="no GPU option serves requests of 1/1"):
        slice_graph(BUCKETS, (dead,), 1)
