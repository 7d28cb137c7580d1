"""`planner.plan.cut`: degrees as people read them."""

from __future__ import annotations

import pytest

from planner.plan import Stage
from planner.plan.cut import cut_label
from planner.testing import make_candidate, make_fleet, make_instance


@pytest.mark.parametrize(
    ("degrees", "label"),
    [
        ((1, 1, 1, 1), "TP1"),
        ((4, 2, 1, 1), "TP4 PP2"),
        ((2, 1, 4, 8), "TP2 DP4 EP8"),
        ((8, 1, 1, 8), "TP8 EP8"),
    ],
)
def test_degrees_above_one_are_named(degrees: tuple[int, int, int, int], label: str) -> None:
    names = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size", "expert_parallel_size")
    changes = dict(zip(names, degrees, strict=True))
    instance = make_instance("i", (Stage("a/r0/n0", tuple(range(8))),), **changes)
    candidate = make_candidate(make_fleet(), **changes)
    assert cut_label(instance) == cut_label(candidate) == label
    assert candidate.label == f"chat mixed {label} on a"
    assert instance.gpu_count == degrees[0] * degrees[1] * degrees[2]
