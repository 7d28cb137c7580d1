"""Compiling ahead of need: kernels are one set for all problems, so any problem will do."""

from __future__ import annotations

import numpy as np

from models.graph import AssignmentSpace, Axis, GraphBuilder
from solvers.options import SolveOptions
from solvers.search.search import search

__all__ = ["compile_kernels"]


def compile_kernels() -> None:
    """Run every kernel that search uses once, on the smallest problem there is."""
    space = AssignmentSpace(
        Axis("object", 2), Axis("container", 2), np.zeros(2, np.int32), np.zeros(2, np.bool_)
    )
    builder = GraphBuilder(space)
    builder.minimize(builder.moved_amount())
    search(builder.build(), SolveOptions(iteration_limit=100))
