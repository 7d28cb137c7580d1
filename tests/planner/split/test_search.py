import dataclasses

import numpy as np
import pytest

from models.errors import InvalidInput
from planner.split import (
    GoodputSearch,
    LatencyTargets,
    PolynomialLatency,
    RequestSample,
    Server,
    choose_split,
    colocated,
    high_affinity,
    low_affinity,
)


def server(tensor, stages):
    """Prefill gains most of what tensor parallelism can give, decode little."""
    latency = PolynomialLatency(
        prefill=(0, 0.2 / tensor**0.9, 0),
        decode_small=(20 / tensor**0.3, 0, 0.05),
        decode_large=(20 / tensor**0.3, 0, 0.05),
        large_batch=100,
        stages=stages,
    )
    return Server(
        latency=latency, stages=stages, gpus=tensor * stages, kv_cache_tokens=1e5, prefill_batch_tokens=1024
    )


SERVERS = {(t, p): server(t, p) for t in (1, 2, 4) for p in (1, 2)}


@pytest.fixture(scope="module")
def search():
    sample = RequestSample.poisson(np.full(200, 500), np.full(200, 50), seed=0)
    return GoodputSearch(
        sample=sample,
        targets=LatencyTargets(ttft_ms=120, tpot_ms=40),
        highest_per_gpu=20,
        resolution_per_gpu=0.1,
    )


def test_pairs_stay_within_the_nodes_and_the_best_is_first(search):
    found = low_affinity(search, SERVERS, nodes=1, gpus_per_node=4)
    assert all(p.gpus <= 4 for p in found)
    assert [p.per_gpu for p in found] == sorted((p.per_gpu for p in found), reverse=True)
    exhaustive = max(
        search.per_gpu(SERVERS[a], SERVERS[b])
        for a in SERVERS
        for b in SERVERS
        if SERVERS[a].gpus + SERVERS[b].gpus <= 4
    )
    assert found[0].per_gpu == exhaustive
    # a tight TTFT wants tensor parallelism for prefill, one GPU is enough to decode
    assert (found[0].prefill, found[0].decode) == ((2, 1), (1, 1))


def test_idle_gpus_of_a_node_can_be_counted(search):
    (used, *_), (whole, *_) = (
        low_affinity(search, SERVERS, nodes=1, gpus_per_node=4, count_idle=c) for c in (False, True)
    )
    assert used.per_node_gpu == pytest.approx(used.per_gpu * 3 / 4)
    assert whole.per_node_gpu >= used.per_node_gpu


def test_stages_that_do_not_divide_among_nodes_stay_in_one(search):
    assert not low_affinity(search, {(4, 1): SERVERS[4, 1]}, nodes=2, gpus_per_node=4)
    across = low_affinity(search, {(2, 2): SERVERS[2, 2]}, nodes=2, gpus_per_node=4)
    assert [(p.prefill, p.decode) for p in across] == [((2, 2), (2, 2))]


def test_phases_by_themselves_are_replicated_to_the_rate(search):
    prefill, decode = high_affinity(search, SERVERS, rate_per_s=30)
    for phase in (prefill, decode):
        capacity = phase.instances * phase.per_gpu * SERVERS[phase.degrees].gpus
        assert capacity >= 30
        assert capacity - phase.per_gpu * SERVERS[phase.degrees].gpus < 30
    assert prefill.degrees[0] > decode.degrees[0]


def test_a_target_below_the_fastest_step_is_an_error(search):
    hopeless = dataclasses.replace(search, targets=LatencyTargets(ttft_ms=1, tpot_ms=40))
    with pytest.raises(InvalidInput, match="prefill target"):
        high_affinity(hopeless, SERVERS, rate_per_s=1)
    assert choose_split(colocated(hopeless, SERVERS), ()).choice == "none"


def test_loose_targets_keep_the_phases_together_and_tight_ones_split_them(search):
    choices = []
    for ttft, tpot in ((2000, 300), (120, 22)):
        given = dataclasses.replace(search, targets=LatencyTargets(ttft_ms=ttft, tpot_ms=tpot))
        apart = low_affinity(given, SERVERS, nodes=1, gpus_per_node=4)
        choices.append(choose_split(colocated(given, SERVERS), apart).choice)
    assert choices == ["colocated", "disaggregated"]
