"""Prices of limits."""

from __future__ import annotations

import numpy as np
import pytest

from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope
from solvers.explain import limit_prices


def test_a_unit_of_the_scarce_limit_is_worth_what_it_replaces():
    # ten identical jobs: 4 fit on the cheap host (1 each), the rest go to the dear one (3 each)
    space = AssignmentSpace(
        Axis("job", 10), Axis("host", 2, ["cheap", "dear"]), np.ones(10, np.int32), np.zeros(10, bool)
    )
    b = GraphBuilder(space)
    used = b.usage(Scope.identity(space.containers), np.ones(10))
    b.constrain(b.affine([(used, 1.0)], [-4.0, -20.0]), spec="Capacity")
    b.minimize(b.total(b.affine([(used, [1.0, 3.0])])), spec="Cost", name="cost")
    [price] = limit_prices(b.build())
    assert str(price.limit) == "Capacity on cheap"
    assert price.tier == "cost"
    assert price.per_unit == pytest.approx(2.0)
