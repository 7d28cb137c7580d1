"""``workloads[].reuse`` and ``burstiness``: read, refused, priced and replayed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.document import InvalidDocument
from planner.assemble import make_basis
from planner.candidates.enumerate import enumerate_candidates
from planner.fleet import Fleet, read_fleet
from planner.verify.replay import Replayer

FLEET = """\
fleet: test
pools: [{name: a, gpu: h100, nodes: 2, gpus_per_node: 8, price_per_gpu_hour: 2}]
models: [{name: chat, architecture: llama-3.1-8b}]
workloads:
  - model: chat
    WHAT
    slo: {ttft_p95: 400ms, tpot_p95: 20ms}
policies: {parallelism: {tensor: [1], pipeline: [1]}}
"""
RATE = "rate: 4/s\n    lengths: {levels: [0, 1], input_tokens: [3900, 4100], output_tokens: [90, 110]}\n    "


def fleet_with(more: str) -> Fleet:
    return read_fleet(FLEET.replace("WHAT", RATE + more))


def mixed_capacity(more: str) -> float:
    (found,) = [c for c in enumerate_candidates(fleet_with(more)).accepted if c.role == "mixed"]
    return found.capacity_per_s


def test_a_stated_share_is_priced_and_listed() -> None:
    assert mixed_capacity("reuse: 60%") > 1.3 * mixed_capacity("")
    fleet = fleet_with("reuse: {share: 60%, source: last week}")
    (entry,) = [b for b in make_basis(fleet, ()) if "found in the cache" in b.what]
    assert (entry.what, entry.source) == ("prompts of chat found in the cache: 60.0%", "last week")
    assert fleet_with("reuse: 60%").workloads[0].reuse_source == "the fleet document"
    again = read_fleet(fleet.self_contained).workloads[0]
    assert (again.reuse, again.reuse_source) == (0.6, "last week")


def test_the_share_of_a_trace_with_hashes(tmp_path: Path) -> None:
    lines = [
        {"timestamp": i * 500, "input_length": 1024, "output_length": 50, "hash_ids": [0, 10 + i % 4]}
        for i in range(40)
    ]
    (tmp_path / "trace.jsonl").write_text("\n".join(map(json.dumps, lines)))
    said = "trace: trace.jsonl\n    reuse: {cache_tokens: SIZE}"
    shares = {}
    for size in ("endless", "4096", "1024"):
        text = FLEET.replace("WHAT", said.replace("SIZE", size))
        fleet = read_fleet(text, base_dir=tmp_path)
        shares[size] = fleet.workloads[0].reuse
        assert read_fleet(fleet.self_contained, allow_files=False).workloads[0].reuse == shares[size]
    # the first block is everybody's, the second of every fourth request
    assert shares["endless"] == pytest.approx((39 + 36) / 80)
    assert shares["4096"] == pytest.approx((39 + 36) / 80)
    assert shares["1024"] == pytest.approx(39 / 80)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("reuse: 140%", "reuse"),
        ("reuse: {source: x}", "exactly one"),
        ("reuse: {share: 10%, cache_tokens: 100}", "exactly one"),
        ("reuse: {cache_tokens: 100000}", "block hashes"),
        ("burstiness: 0", "burstiness"),
        ("burstiness: -1", "burstiness"),
    ],
)
def test_what_cannot_be_is_refused(more: str, message: str) -> None:
    with pytest.raises(InvalidDocument, match=message):
        fleet_with(more)


def test_bursts_cost_capacity_and_are_replayed() -> None:
    poisson, bursty = mixed_capacity(""), mixed_capacity("burstiness: 0.2")
    assert bursty < poisson
    seen = []
    for more in ("", "burstiness: 0.2", "reuse: 60%"):
        fleet = fleet_with(more)
        (candidate,) = [c for c in enumerate_candidates(fleet).accepted if c.role == "mixed"]
        found = Replayer(fleet=fleet, seed=0).latencies(candidate, 0.9 * bursty, 4000)
        assert found is not None
        assert found.ttft_ms is not None
        seen.append(float(np.percentile(found.ttft_ms, 95)))
    assert seen[1] > seen[0] > seen[2]
