"""Problems with a known reason."""

from __future__ import annotations

import numpy as np
import pytest

from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope


@pytest.fixture
def overfull():
    """Six objects of 2 that must be placed, three racks of 8, 8 and 4 of which the first is drained, and a
    limit that has nothing to do with it."""
    space = AssignmentSpace(
        Axis("replica", 7, [f"r{i}" for i in range(7)]),
        Axis("rack", 3, ["rack-1", "rack-2", "rack-3"]),
        np.full(7, 1, np.int32),
        np.zeros(7, bool),
    )
    b = GraphBuilder(space)
    racks = Scope.identity(space.containers)
    gpus = b.usage(racks, np.full(7, 2.0))
    b.constrain(b.affine([(gpus, 1.0)], [-8.0, -8.0, -4.0]), spec="Capacity", name="gpus")
    b.constrain(b.affine([(gpus, [1.0, 0.0, 0.0])]), spec="Drain", name="rack-1")
    b.constrain(b.affine([(b.usage(racks, np.ones(7)), 1.0)], -7.0), spec="Count")
    b.minimize(b.moved_amount(), spec="Movement")
    return b.build()
