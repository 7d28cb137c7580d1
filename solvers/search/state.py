# mypy: allow-untyped-calls
"""Making a state, and bringing one back to what its assignment says."""

from __future__ import annotations

import numpy as np

from models.graph.space import UNASSIGNED, Ints
from solvers.search.flatten import node_values
from solvers.search.model import Model, State, Weighted

__all__ = ["assignment_of", "make_state", "place", "reweigh"]


def make_state(model: Model, weights: Weighted, assignment: Ints) -> State:
    """A state at `assignment` (int32[n_objects], -1 for unassigned)."""
    state = State(model, weights)
    place(state, assignment)
    return state


def assignment_of(state: State) -> Ints:
    """int32[n_objects]: where everything is, -1 for unassigned."""
    out = state.assignment[:-1].copy()
    out[out == state.model.n_containers] = UNASSIGNED
    return out


def place(state: State, assignment: Ints) -> None:
    """Put `state` at `assignment`, everything derived from scratch."""
    from solvers.search.kernels.rebuild import rebuild_groups, rebuild_usage

    m = state.model
    state.assignment[:-1] = np.where(assignment < 0, m.n_containers, assignment)
    state.assignment[-1] = m.n_containers + 1
    rebuild_usage(
        m.n_objects, state.assignment, m.blocks, state.X, m.W, m.home_w, m.item_of, m.home,
        m.dynamic, m.dyn_row, m.dyn_base, m.dyn_table, m.n_containers + 1,
    )  # fmt: skip
    rebuild_groups(m.n_objects, state.assignment, m.groups, state.group_count, m.item_of, m.row_ptr, m.row_of)
    state.value[:] = node_values(m, np.asarray(assignment, np.int32))
    reweigh(state, state.weights)


def reweigh(state: State, weights: Weighted) -> None:
    """Use other goal weights."""
    from solvers.search.kernels.rebuild import rebuild_costs

    m = state.model
    state.weights = weights
    rebuild_costs(
        m.n_objects, state.xs, m.blocks, state.X, m.W, m.home_w, m.home, m.upper, m.lower, weights.penalty,
        m.terms, weights.params, m.knots, state.cost, m.dynamic, m.dyn_row, m.dyn_base, m.dyn_table,
    )  # fmt: skip
