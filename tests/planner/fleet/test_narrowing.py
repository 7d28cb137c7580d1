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
