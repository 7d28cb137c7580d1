"""How large the model of a graph would be, before anything of it is made."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from models.graph import Node
from models.graph.ops import GroupUsage, Usage
from solvers.milp.classes import ObjectClasses

__all__ = ["ENTRY_LIMIT", "SECONDS_PER_ENTRY", "entries"]

ENTRY_LIMIT = 8_000_000
"""Entries above which no model is made: at about 400 bytes each while it is made, 3 GB."""
SECONDS_PER_ENTRY = 2.5e-6
"""Time to state an entry, as measured on one core of 2.5 GHz."""


def entries(classes: ObjectClasses, nodes: Iterable[Node], columns: int) -> int:
    """About how many coefficients the leaves among `nodes` have over `columns` decision columns.

    Pair costs are left out: their lowering has a limit of its own.
    """
    total = columns
    for node in nodes:
        op = node.op
        if isinstance(op, Usage):
            per_place = op.scope.indices.size / max(op.scope.indptr.size - 2, 1)
            total += int(columns * per_place * op.weights.n_components)
        elif isinstance(op, GroupUsage):
            per_place = op.scope.indices.size / max(op.scope.indptr.size - 2, 1)
            groups = np.diff(op.partition.indptr)[classes.first]
            total += int(columns * per_place * float(groups.mean() if groups.size else 0.0))
    return total
