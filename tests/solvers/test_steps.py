"""Tiers of whole numbers are proven by a bound less than one step below."""

from __future__ import annotations

import numpy as np
import pytest

from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope
from solvers.judge import judged
from solvers.steps import lifted_bound, tier_step


def graph_of(amounts, *weights):
    """Two objects of these amounts; a goal tier for each weight, the amount on the first host times it."""
    space = AssignmentSpace(Axis("o", 2), Axis("c", 2), np.zeros(2, np.int32), np.zeros(2, bool))
    b = GraphBuilder(space)
    used = b.total(b.affine([(b.usage(Scope.identity(space.containers), amounts), [1.0, 0.0])]))
    for i, weight in enumerate(weights):
        b.minimize(used, weight=weight, tier=i)
    return b.build()


def test_step_is_the_common_divisor_of_the_weights():
    tiers = graph_of([1.0, 2.0], 1.0, 0.5, -4.0, 1 / 3).tiers
    assert [tier_step(t) for t in tiers] == [1.0, 0.5, 4.0, 0.0]


def test_fractions_have_no_step():
    assert tier_step(graph_of([1.0, 0.25], 1.0).tiers[0]) == 0.0


@pytest.mark.parametrize(
    ("bound", "step", "lifted"),
    [
        (2.01, 1.0, 3.0),
        (2.0, 1.0, 2.0),
        (2.0005, 1.0, 2.0005),
        (-2.6, 0.5, -2.5),
        (1e12 + 0.3, 1.0, 1e12 + 0.3),
    ],
)
def test_lifted_bounds(bound, step, lifted):
    assert lifted_bound(bound, step) == pytest.approx(lifted, rel=1e-15)
    assert lifted_bound(-np.inf, step) == -np.inf


def test_a_bound_within_a_step_is_a_proof():
    whole, fractions = graph_of([1.0, 2.0], 1.0), graph_of([1.0, 2.5], 1.0)
    start = np.zeros(2, np.int32)
    result = judged(whole, start, solver="test", gap=0.0, bounds=[2.1])
    assert (result.status, result.tiers[0].bound) == ("optimal", 3.0)
    assert judged(whole, start, solver="test", gap=0.0, bounds=[1.9]).status == "feasible"
    assert judged(fractions, start, solver="test", gap=0.0, bounds=[3.4]).status == "feasible"
