import dataclasses

import pytest

from models.hardware import gpu
from planner.resharding import (
    AllReduceBandwidth,
    RequestClass,
    best_disaggregated,
    best_static,
    best_switching,
)
from planner.resharding.steady import disaggregations, fitting, statics, switchings

ARXIV, SHAREGPT = RequestClass(2588, 291), RequestClass(780, 176)


@pytest.mark.parametrize("request_class", [ARXIV, SHAREGPT])
def test_70b_on_eight_a10_prefills_in_a_pipeline_and_decodes_in_fours(llama, host, request_class):
    best = best_switching(llama, 8, request_class, host)
    assert (str(best.prefill), str(best.decode)) == ("P8", "T4P2")


def test_without_the_drop_at_eight_decode_takes_all_eight(llama, host):
    ring = {n: 16 * 2**30 * n / (2 * (n - 1)) for n in (2, 4, 8)}
    even = dataclasses.replace(llama, all_reduce=AllReduceBandwidth(bytes_per_s=ring))
    assert str(best_switching(even, 8, ARXIV, host).decode) == "T8"


def test_70b_on_eight_times_40_gb_splits_in_the_middle_only(llama):
    a100 = dataclasses.replace(llama, gpu=gpu("a100-sxm-40gb"))
    splits = list(disaggregations(a100, 8, RequestClass(1000, 250)))
    assert splits
    assert {(s.prefill.gpus, s.decode.gpus) for s in splits} == {(4, 4)}


def test_70b_on_eight_times_24_gb_cannot_be_disaggregated(llama):
    assert best_disaggregated(llama, 8, ARXIV) is None


def test_the_best_is_the_best_of_all(llama, host):
    assert best_static(llama, 8, ARXIV).rate_per_s == max(s.rate_per_s for s in statics(llama, 8, ARXIV))
    every = [c.rate_per_s for c in switchings(llama, 8, ARXIV, host)]
    assert best_switching(llama, 8, ARXIV, host).rate_per_s == max(every)


def test_two_replicas_of_70b_do_not_fit_on_eight_a10(llama):
    assert {layout.replicas for layout in fitting(llama, 8, ARXIV)} == {1}


def test_nothing_fits_on_four(llama, host):
    assert best_static(llama, 4, ARXIV) is None
    assert best_switching(llama, 4, ARXIV, host) is None
