"""Layer placement as a flow over the places between layers, for links that never bind.

A node that holds the layers from ``s`` to ``e − 1`` is an arc from place s to place e with its throughput as
capacity; which of the nodes that end at a place hands over to which that begin there does not matter. With
``n[k, s, j]`` nodes of kind k that hold j layers from s on, and what they carry together,

    max Σ flow out of place 0     0 ≤ flow[k, s, j] ≤ rate_k(j) · n[k, s, j]     Σ_sj n[k, s, j] ≤ count_k

with as much into every place between as out of it. Equal nodes are counts, no node is paired with any other,
so the relaxation is the layer capacity itself; the formulation of Helix (start, held layers and a switch for
every pair of nodes) has the same optimum (tested).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.errors import Unsupported
from planner.layers.problem import Held, LayerPlan, LayerProblem, layer_capacity_bound

__all__ = ["place_layers"]

GAP = 1e-6
"""Relative gap at which a placement counts as proven."""


def place_layers(
    problem: LayerProblem, *, time_limit_s: float | None = None, threads: int = 1, seed: int = 0
) -> LayerPlan:
    """Return the placement with the largest throughput that was found in time, and its bound.

    Raises
    ------
    Unsupported
        A link may carry less than a node computes: see `planner.layers.pairs`.
    """
    from scipy import sparse

    from solvers.milp.backend import Task
    from solvers.milp.backends import backend
    from solvers.milp.grain import ONE, UNKNOWN
    from solvers.milp.model import MilpModel

    if problem.links_may_bind:
        raise Unsupported("a link may carry less than a node computes: place_layers_by_pairs looks at links")
    arcs = [
        (k, first, held)
        for k, kind in enumerate(problem.kinds)
        for held in range(1, min(len(kind.tokens_per_s), problem.layers) + 1)
        for first in range(problem.layers - held + 1)
    ]
    rate = np.array([problem.kinds[k].tokens_per_s[held - 1] for k, _, held in arcs])
    count = np.array([problem.kinds[k].count for k, _, _ in arcs], np.float64)
    n, kinds, places = len(arcs), len(problem.kinds), problem.layers - 1
    own = np.arange(n)
    of_kind = sparse.csr_array((np.ones(n), ([k for k, _, _ in arcs], own)), shape=(kinds, n))
    come = [(first + held - 1, a) for a, (_, first, held) in enumerate(arcs) if first + held <= places]
    go = [(first - 1, a) for a, (_, first, _) in enumerate(arcs) if first > 0]
    sign = np.concatenate((np.ones(len(come)), -np.ones(len(go))))
    where = np.array([*come, *go], np.int64).reshape(-1, 2)
    kept = sparse.csr_array((sign, (where[:, 0], where[:, 1])), shape=(places, n))
    matrix = sparse.csr_array(
        sparse.vstack(
            [
                sparse.hstack([sparse.diags_array(-rate), sparse.eye_array(n)]),
                sparse.hstack([of_kind, sparse.csr_array((kinds, n))]),
                sparse.hstack([sparse.csr_array((places, n)), kept]),
            ],
            format="csr",
        )
    )
    supply = np.array([float(kind.count) for kind in problem.kinds])
    whole = np.concatenate((np.ones(n, np.bool_), np.zeros(n, np.bool_)))
    model = MilpModel(
        lower=np.zeros(2 * n),
        upper=np.concatenate((count, rate * count)),
        integer=whole,
        grain=np.where(whole, ONE, UNKNOWN),
        owner=np.full(2 * n, -1),
        matrix=matrix,
        row_lower=np.concatenate((np.full(n + kinds, -np.inf), np.zeros(places))),
        row_upper=np.concatenate((np.zeros(n), supply, np.zeros(places))),
        block=np.full(n + kinds + places, -1),
    )
    leaves = np.array([float(first == 0) for _, first, _ in arcs])
    outcome = backend("highs").solve(
        Task(
            model=model, cost=np.concatenate((np.zeros(n), -leaves)), offset=0.0,
            start=_chain(problem, arcs, rate), time_limit_s=time_limit_s, gap=GAP, threads=threads, seed=seed,
            on_progress=lambda *_: False,
        )
    )  # fmt: skip
    bound = layer_capacity_bound(problem)
    if outcome.bound is not None:
        bound = min(bound, -outcome.bound)
    if outcome.x is None:
        return LayerPlan(tokens_per_s=0.0, bound=bound, held=(), proven=outcome.finished)
    nodes, flow = np.rint(outcome.x[:n]), outcome.x[n:]
    total = float(flow @ leaves)
    return LayerPlan(
        tokens_per_s=total,
        bound=max(bound, total),
        held=tuple(
            Held(
                kind=problem.kinds[k].name, nodes=int(nodes[a]), first=first, count=held,
                tokens_per_s=float(flow[a]),
            )
            for a, (k, first, held) in sorted(enumerate(arcs), key=lambda arc: (arc[1][1], arc[1]))
            if flow[a] > 1e-6 and nodes[a] > 0
        ),
        proven=outcome.finished,
    )  # fmt: skip


def _chain(
    problem: LayerProblem, arcs: Sequence[tuple[int, int, int]], rate: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64] | None:
    """The best pipeline that holds every layer once, as values of all columns; None where none does.

    At each throughput a node holds as many layers as it has that throughput with; the largest throughput
    at which the nodes hold all layers together is that of the chain.
    """
    for wanted in sorted(set(rate.tolist()), reverse=True):
        most = [
            max((j + 1 for j, value in enumerate(kind.tokens_per_s) if value >= wanted), default=0)
            for kind in problem.kinds
        ]
        if sum(kind.count * held for kind, held in zip(problem.kinds, most, strict=True)) < problem.layers:
            continue
        index = {arc: a for a, arc in enumerate(arcs)}
        values = np.zeros(2 * len(arcs))
        first = 0
        for k, kind in enumerate(problem.kinds):
            for _ in range(kind.count):
                held = min(most[k], problem.layers - first)
                # With fewer layers a node may be slower: rates need not fall with what is held.
                while held > 0 and kind.tokens_per_s[held - 1] < wanted:
                    held -= 1
                if held > 0:
                    at = index[k, first, held]
                    values[at], values[len(arcs) + at] = 1.0, wanted
                    first += held
        if first == problem.layers:
            return values
    return None
