import numpy as np
import pytest

from models.errors import InvalidInput
from planner.split import RequestSample
from planner.split.pools import SlowdownTargets, equal_budget, rank_splits


def test_the_counts_of_the_paper():
    assert equal_budget(40, unit=1.75, other_unit=1.0) == 70  # DGX-H100 to DGX-A100 by power
    assert equal_budget(40, unit=38.0, other_unit=17.6) == 86  # by price


def test_the_pool_follows_the_work(server):
    one = server(prefill_ms=0.0, per_token=0.1, decode_ms=10.0, batch_tokens=1000, cache=5000)
    targets = SlowdownTargets(reference=one.latency)

    def best(inputs, outputs):
        sample = RequestSample.poisson(np.full(600, inputs), np.full(600, outputs), seed=0)
        ranked = rank_splits(
            sample, one, targets, machines=6, decode_counts=range(1, 6), highest_per_s=200, resolution_per_s=1
        )
        assert [s.rate_per_s for s in ranked] == sorted((s.rate_per_s for s in ranked), reverse=True)
        return ranked[0]

    long_prompts, long_answers = best(900, 10), best(200, 300)
    assert long_prompts.prefill > long_answers.prefill
    assert long_prompts.rate_per_s > 0


def test_an_idle_machine_meets_its_own_targets(server):
    one = server(prefill_ms=5.0, decode_ms=10.0)
    sample = RequestSample.poisson(np.full(50, 10), np.full(50, 5), seed=0)
    from planner.split import simulate

    targets = SlowdownTargets(reference=one.latency)
    idle = simulate(sample, 0.01, prefill=[one], decode=[one])
    assert targets.misses(sample, idle) == ()
    busy = simulate(sample, 195.0, prefill=[one], decode=[one])
    assert "ttft p50" in targets.misses(sample, busy)


def test_a_split_needs_both_pools(server):
    sample = RequestSample.poisson([1], [1])
    targets = SlowdownTargets(reference=server().latency)
    with pytest.raises(InvalidInput, match="cannot have 4 to decode"):
        rank_splits(sample, server(), targets, machines=4, decode_counts=[4], highest_per_s=1)
