"""`planner.fleet.narrowing`: what is forbidden is left out and says so; names are checked."""

from __future__ import annotations

import pytest

from models.document import InvalidDocument
from planner.candidates.enumerate import enumerate_candidates
from planner.fleet import read_fleet
from planner.testing import SMALL_FLEET


def narrowed(parallelism: str) -> str:
    return SMALL_FLEET.replace("policies: {headroom: 10%}", f"policies: {{parallelism: {parallelism}}}")


def test_forbidden_ways_are_refused_by_policy() -> None:
    fleet = read_fleet(
        narrowed(
            "{tensor: [1, 4], pipeline: [1, 4], pipeline_across_nodes: false, "
            "forbid: [{model: chat, pool: a}, {role: decode, tensor: 4}]}"
        )
    )
    found = enumerate_candidates(fleet)
    assert not any(c.model == "chat" and c.pool == "a" for c in found.accepted)
    assert not any(c.role == "decode" and c.tensor_parallel_size == 4 for c in found.accepted)
    assert all(c.groups == 1 for c in found.accepted)
    assert any(c.model == "code" and c.pool == "a" for c in found.accepted)
    said = {r.reason for r in found.refused if r.limit == "policy"}
    assert said == {
        "the document forbids model chat, pool a",
        "the document forbids role decode, tensor 4",
        "its stages do not fit one node, and pipeline_across_nodes is false",
    }


def test_degrees_of_models_with_experts() -> None:
    allowed = read_fleet(narrowed("{tensor: [1, 2], data: [4, 1], expert: [8, 1]}")).policies.parallelism
    assert (allowed.data, allowed.expert) == ((1, 4), (1, 8))
    assert [allowed.expert_degrees(gpus) for gpus in (1, 4, 8)] == [(1,), (1,), (1, 8)]
    default = read_fleet(SMALL_FLEET).policies.parallelism
    assert (default.data, default.expert) == ((1,), None)
    assert [default.expert_degrees(gpus) for gpus in (1, 4, 8)] == [(1,), (1, 4), (1, 8)]


def test_forbidden_degrees_of_models_with_experts() -> None:
    sparse = narrowed(
        "{tensor: [2, 4], pipeline: [1], data: [1, 2], forbid: [{expert: 8}, {data: 2, tensor: 2}]}"
    )
    fleet = read_fleet(sparse.replace("llama-3.1-8b", "gpt-oss-120b"))
    said = {
        (r.tensor_parallel_size, r.data_parallel_size, r.expert_parallel_size): r.reason
        for r in enumerate_candidates(fleet).refused
        if r.limit == "policy"
    }
    assert said == {
        (4, 2, 8): "the document forbids expert 8",
        (2, 2, 1): "the document forbids tensor 2, data 2",
        (2, 2, 4): "the document forbids tensor 2, data 2",
    }


@pytest.mark.parametrize(
    ("parallelism", "said"),
    [
        (
            "{tensor: [1, 2], expert: [1, 4]}",
            "4 divides no number of GPUs that a stage can have: .* gives 1, 2",
        ),
        ("{expert: []}", "expert"),
        ("{data: [2, 2]}", "each degree once"),
        ("{expert: [2, 2]}", "each degree once"),
    ],
)
def test_impossible_degrees(parallelism: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=said):
        read_fleet(narrowed(parallelism))


@pytest.mark.parametrize(
    ("forbid", "said"),
    [
        ("{model: chatt}", "unknown model 'chatt'"),
        ("{pool: c}", "unknown pool 'c'"),
        ("{}", "forbids everything"),
        ("{rol: mixed}", "rol"),
    ],
)
def test_mistakes(forbid: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=said):
        read_fleet(narrowed(f"{{forbid: [{forbid}]}}"))
