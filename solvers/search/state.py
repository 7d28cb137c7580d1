# mypy: allow-untyped-calls
"""Making a state, and bringing one back to what its assignment says."""

from __future__ import annotations

import numpy as np

from models.graph.cells import Array
from models.graph.space import UNASSIGNED, Ints
from solvers.search.compiled import ensure_compiled
from solvers.search.flatten import node_values
from solvers.search.model import Model, State

__all__ = ["assignment_of", "make_state", "place", "reweigh"]


def make_state(model: Model, prices: Array, assignment: Ints) -> State:
    """A state at `assignment` (int32[n_objects], -1 for unassigned); the first one compiles the kernels."""
    from solvers.search.warmup import compile_kernels

    ensure_compiled(compile_kernels)
    state = State(model, prices)
    place(state, assignment)
    return state


def assignment_of(state: State) -> Ints:
    """int32[n_objects]: where everything is, -1 for unassigned."""
    out = np.array(state.part("assignment")[:-1])
    out[out == state.model.n_containers] = UNASSIGNED
    return out


def place(state: State, assignment: Ints) -> None:
    """Put `state` at `assignment`, everything derived from scratch."""
    from solvers.search.kernels.rebuild import rebuild_groups, rebuild_usage

    m = state.model
    H, J, F, G, A, V, C = state.arrays
    where = state.part("assignment")
    where[:-1] = np.where(assignment < 0, m.n_containers, assignment)
    where[-1] = m.n_containers + 1
    rebuild_usage(H, J, F, A, V)
    rebuild_groups(H, J, A, C)
    state.part("value")[:] = node_values(m, np.asarray(assignment, np.int32))
    reweigh(state, G)


def reweigh(state: State, prices: Array) -> None:
    """Use other prices."""
    from solvers.search.kernels.rebuild import rebuild_costs

    state.G = prices
    H, J, F, G, _, V, _ = state.arrays
    rebuild_costs(H, J, F, G, V)
