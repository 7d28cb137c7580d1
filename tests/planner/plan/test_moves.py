"""`planner.plan.moves`: stops, moves and starts between two plans."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from planner.plan import Instance, Stage
from planner.plan.moves import moves_between
from planner.testing import make_instance


def actions(current: list[Instance], new: list[Instance]) -> list[tuple[Any, ...]]:
    return [(m.action, m.instance, m.from_stages, m.to_stages) for m in moves_between(current, new)]


A, B = (Stage("a/r0/n0", (0,)),), (Stage("a/r0/n0", (1,)),)


def test_nothing_changes() -> None:
    assert actions([make_instance("x", A)], [make_instance("x", A)]) == []


def test_load_and_predictions_are_not_moves() -> None:
    one = make_instance("x", A)
    assert (
        actions([one], [replace(one, max_num_seqs=7, expected=replace(one.expected, rate_per_s=0.1))]) == []
    )


def test_stops_come_first_then_moves_then_starts() -> None:
    current = [make_instance("gone", A), make_instance("moved", A)]
    new = [make_instance("fresh", A), make_instance("moved", B)]
    assert actions(current, new) == [
        ("stop", "gone", A, ()),
        ("move", "moved", A, B),
        ("start", "fresh", (), A),
    ]


def test_another_shape_is_a_stop_and_a_start() -> None:
    one = make_instance("x", A)
    assert actions([one], [replace(one, tensor_parallel_size=2)]) == [
        ("stop", "x", A, ()),
        ("start", "x", (), A),
    ]
