"""`planner.candidates.candidate`: how an instance lies on nodes."""

from __future__ import annotations

import pytest

from planner.candidates import node_groups


@pytest.mark.parametrize(
    ("tensor", "pipeline", "gpus_per_node", "expected"),
    [
        (1, 1, 8, (1, 1)),
        (8, 1, 8, (1, 8)),
        (16, 1, 8, None),  # a tensor-parallel group never leaves its node
        (4, 2, 8, (1, 8)),  # both stages fit one node
        (8, 2, 8, (2, 8)),
        (4, 4, 8, (2, 8)),  # two stages a node
        (2, 3, 4, (3, 2)),  # three stages: one each, since two and one would be uneven
        (3, 4, 8, (2, 6)),
        (1, 2, 1, (2, 1)),
    ],
)
def test_node_groups(
    tensor: int, pipeline: int, gpus_per_node: int, expected: tuple[int, int] | None
) -> None:
    assert node_groups(tensor, pipeline, gpus_per_node) == expected
