"""`planner.expectations`: together and remembered, what each is found to be by itself."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pytest

from models.serving import operate
from planner.candidates.enumerate import enumerate_candidates, instance_model, targets
from planner.expectations import AtRate, expectations
from planner.fleet import read_fleet

DOCUMENT = """
fleet: alike
pools: [{name: a, gpu: h100-sxm-80gb, nodes: 2, gpus_per_node: 8, zone: z, price_per_gpu_hour: 2}]
models: [{name: small, architecture: llama-3.1-8b}, {name: other, architecture: qwen3-8b}]
workloads:
  - {model: small, rate: 40/s, slo: {ttft_p95: 1s, tpot_p95: 40ms},
     lengths: &l {levels: [0, 1], input_tokens: [100, 1900], output_tokens: [20, 180]}}
  - {model: other, rate: 30/s, lengths: *l, slo: {ttft_p95: 1s, tpot_p95: 40ms}}
policies: {parallelism: {tensor: [1, 2], pipeline: [1]}, roles: [mixed, disaggregated]}
"""


def test_each_is_what_its_engine_does_at_its_rate() -> None:
    fleet = read_fleet(DOCUMENT)
    assert fleet.workloads[0].lengths is fleet.workloads[1].lengths
    candidates = enumerate_candidates(fleet).accepted
    used = [i for i, c in enumerate(candidates) for _ in range(3 if c.role == "decode" else 1)]
    known: dict[Hashable, AtRate] = {}
    found = expectations(fleet, used, candidates, known)
    assert found.keys() == set(used)
    for index, expected in found.items():
        c = candidates[index]
        workload = fleet.workload(c.workload)
        (alone,) = operate(
            [instance_model(fleet, c)], workload.lengths, np.array([expected.rate_per_s]), targets(workload)
        )
        for name in ("ttft_ms", "tpot_ms", "concurrency"):
            said, own = getattr(expected, name), getattr(alone, name)
            assert said is own is None or said == pytest.approx(own, rel=1e-9)
        assert expected.capacity_per_s == c.capacity_per_s
    for workload in fleet.workloads:  # every request has its first token somewhere, and its last
        sent = [
            (candidates[i].role, found[i].rate_per_s) for i in used if candidates[i].workload == workload.name
        ]
        for role in ("prefill", "decode"):
            assert sum(r for kind, r in sent if kind in ("mixed", role)) == pytest.approx(workload.rate_per_s)


def test_what_is_known_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = read_fleet(DOCUMENT)
    candidates = enumerate_candidates(fleet).accepted
    used = list(range(len(candidates)))
    known: dict[Hashable, AtRate] = {}
    first = expectations(fleet, used, candidates, known)

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr("planner.expectations.operate", refused)
    assert expectations(fleet, used, candidates, known) == first
    with pytest.raises(AssertionError, match="asked again"):  # one more of one kind: the others get less
        expectations(fleet, [*used, 0], candidates, known)
