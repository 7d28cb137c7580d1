"""Every operation of the graph can be stated, by a file found in the folder."""

from __future__ import annotations

import pytest

from models.errors import Unsupported
from models.graph import ops
from models.graph.ops.base import LeafOp, Op
from solvers.milp.lower import lowering_of, lowerings

# the same for every assignment: read from the reference evaluation instead
CONSTANT = {"Constant", "Before"}


def test_all_operations_have_one():
    kinds = {
        name
        for name in ops.__all__
        if isinstance(made := getattr(ops, name), type)
        and issubclass(made, (Op, LeafOp))
        and made not in (Op, LeafOp)
    }
    assert set(lowerings()) == kinds - CONSTANT


def test_an_unknown_operation_is_refused_by_name():
    with pytest.raises(Unsupported, match="Sine"):
        lowering_of("Sine")
