"""``models[].speculative``: what is read, what is refused, and what candidates and plans make of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.document import InvalidDocument
from planner.assemble import make_basis
from planner.candidates.enumerate import enumerate_candidates, instance_model
from planner.fleet import Fleet, read_fleet

FLEET = """\
fleet: test
pools: [{name: a, gpu: h200, nodes: 2, gpus_per_node: 8, price_per_gpu_hour: 2}]
models: [{name: code, architecture: llama-3.1-70b, weights: fp8SPECULATIVE}]
workloads:
  - model: code
    rate: 4/s
    lengths: {levels: [0, 1], input_tokens: [900, 1100], output_tokens: [180, 220]}
    slo: {ttft_p95: 1s, tpot_p95: 40ms}
policies: {parallelism: {tensor: [2, 4], pipeline: [1, 2]}, roles: [mixed]}
"""
EAGLE = "method: eagle3, repository: org/head, tokens: 3, acceptance_length: 2.5, source: our log"
SMALL = "method: draft_model, architecture: llama-3.1-8b, tokens: 3, acceptance: 65%, source: our log"


def fleet_with(speculative: str) -> Fleet:
    said = f", speculative: {{{speculative}}}" if speculative else ""
    return read_fleet(FLEET.replace("SPECULATIVE", said))


def test_an_acceptance_length_is_read_and_says_where_it_is_from() -> None:
    found = fleet_with(EAGLE).model("code").speculative
    assert found is not None
    assert (found.speculation.method, found.speculation.tokens) == ("eagle3", 3)
    assert found.speculation.tokens_per_step == pytest.approx(2.5)
    assert (found.repository, found.source) == ("org/head", "our log")
    ((what, basis, source),) = [
        (b.what, b.basis, b.source) for b in make_basis(fleet_with(EAGLE), ()) if "drafts" in b.what
    ]
    assert what == "drafts of code: eagle3 drafts 3 by org/head, a step yields 2.50 tokens"
    assert (basis, source) == ("declared", "our log")


def test_a_model_that_drafts_is_read_from_the_catalogue_or_a_file(tmp_path: Path) -> None:
    found = fleet_with(SMALL).model("code").speculative
    assert found is not None
    assert found.speculation.draft is not None
    assert found.repository == found.speculation.draft.source
    config = Path(__file__).parents[3] / "models" / "architecture" / "data" / "llama-3.1-8b.json"
    (tmp_path / "config.json").write_text(json.dumps(json.loads(config.read_text())["config"]))
    text = FLEET.replace(
        "SPECULATIVE", f", speculative: {{{SMALL.replace('llama-3.1-8b', './config.json')}}}"
    )
    read = read_fleet(text, base_dir=tmp_path)
    again = read_fleet(read.self_contained, allow_files=False)
    assert again.models == read.models


@pytest.mark.parametrize(
    ("speculative", "message"),
    [
        ("method: mtp, tokens: 1, source: x", "acceptance_length"),
        ("method: mtp, tokens: 1, acceptance: 80%, acceptance_length: 1.8, source: x", "exactly one"),
        ("method: mtp, tokens: 1, acceptance: 80%", "source"),
        ("method: mtp, tokens: 2, acceptance_length: 3.5, source: x", "from 1 to 3"),
        ("method: mtp, tokens: 0, acceptance: 80%, source: x", "tokens"),
        ("method: medusa, tokens: 1, acceptance: 80%, source: x", "method"),
        ("method: mtp, tokens: 1, acceptance: 80%, source: x, repository: y", "layers of the model itself"),
        ("method: eagle, tokens: 1, acceptance: 80%, source: x", "needs the repository"),
        ("method: eagle, tokens: 1, acceptance: 80%, source: x, repository: y, weights: fp8", "only draft"),
        ("method: draft_model, tokens: 1, acceptance: 80%, source: x", "needs the architecture"),
        (SMALL.replace("llama-3.1-8b", "qwen3-8b"), "vocabulary"),
        (SMALL.replace("llama-3.1-8b", "lama"), "architecture"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(speculative: str, message: str) -> None:
    with pytest.raises(InvalidDocument, match=message):
        fleet_with(speculative)


def test_candidates_are_priced_with_drafts_and_keep_their_cuts() -> None:
    plain, drafting = (enumerate_candidates(fleet_with(text)) for text in ("", EAGLE))
    assert {c.pipeline_parallel_size for c in plain.accepted} == {1, 2}
    assert {c.pipeline_parallel_size for c in drafting.accepted} == {1}
    assert {r.reason for r in drafting.refused} == {"drafts are not passed between pipeline stages"}
    for candidate in drafting.accepted:
        assert str(candidate.drafting) == "eagle3 3 by org/head"
        same = next(
            c for c in plain.accepted
            if (c.tensor_parallel_size, c.pipeline_parallel_size) == (candidate.tensor_parallel_size, 1)
        )  # fmt: skip
        assert candidate.shape != same.shape
        assert candidate.max_num_batched_tokens > 4 * candidate.max_num_seqs
    fleet = fleet_with(SMALL)
    (built, *_) = (instance_model(fleet, c) for c in enumerate_candidates(fleet).accepted)
    assert built.configuration.speculation == fleet.models[0].speculative.speculation  # type: ignore[union-attr]
