"""Layer placement with a switch for every pair of nodes, as Helix states it; links may bind.

For node i: ``start[i]``, ``hold[i, j]`` (it holds j layers), and ``end = start + Σ j · hold``. A link u → v
carries something only if its ``switch`` is on, and that only where u ends where v starts; from the source
only to nodes that start with the first layer, to the sink only from nodes that end with the last.

    max Σ flow[source, i]      flow[u, v] ≤ capacity · switch[u, v]      as much into each node as out of it
    Σ_j hold[i, j] = 1         into i ≤ Σ_j rate_i(j) · hold[i, j]
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from planner.layers.problem import Held, LayerPlan, LayerProblem, layer_capacity_bound

__all__ = ["place_layers_by_pairs"]

GAP = 1e-6


def place_layers_by_pairs(
    problem: LayerProblem, *, time_limit_s: float | None = None, threads: int = 1, seed: int = 0
) -> LayerPlan:
    """Return the placement with the largest throughput that was found in time, and its bound."""
    from solvers.milp.backend import Task
    from solvers.milp.backends import backend
    from solvers.milp.linear import Linear
    from solvers.milp.model import ModelBuilder

    nodes, layers = problem.nodes, problem.layers
    most = max(max(kind.tokens_per_s) for kind in nodes)
    link = min(problem.link_tokens_per_s or most, most)
    builder = ModelBuilder()

    def column(upper: float, *, integer: bool) -> int:
        return int(builder.columns(np.zeros(1), np.array([upper]), integer=integer)[0])

    def row(terms: dict[int, float], *, lower: float = -np.inf, upper: float = np.inf) -> None:
        order = sorted(terms)
        builder.rows(
            Linear(
                np.zeros(len(order), np.int64),
                np.array(order, np.int64),
                np.array([terms[c] for c in order]),
                np.zeros(1),
            ),
            lower=lower,
            upper=upper,
        )

    start = [column(layers - 1, integer=True) for _ in nodes]
    hold = [
        {j: column(1, integer=True) for j in range(1, min(len(kind.tokens_per_s), layers) + 1)}
        for kind in nodes
    ]
    into: list[dict[int, float]] = [defaultdict(float) for _ in nodes]
    balance: list[dict[int, float]] = [defaultdict(float) for _ in nodes]
    source = []
    for i, kind in enumerate(nodes):
        end = {start[i]: 1.0, **{c: float(j) for j, c in hold[i].items()}}
        row(dict.fromkeys(hold[i].values(), 1.0), lower=1.0, upper=1.0)
        row(end, upper=layers)
        first, last = column(1, integer=True), column(1, integer=True)
        row({start[i]: 1.0, first: layers}, upper=layers)
        row({**{c: -v for c, v in end.items()}, last: layers}, upper=0.0)
        most_here = max(kind.tokens_per_s)
        comes, goes = column(most_here, integer=False), column(most_here, integer=False)
        row({comes: 1.0, first: -most_here}, upper=0.0)
        row({goes: 1.0, last: -most_here}, upper=0.0)
        source.append(comes)
        into[i][comes] = balance[i][comes] = 1.0
        balance[i][goes] = -1.0
        for v in range(len(nodes)):
            if v == i:
                continue
            switch, flow = column(1, integer=True), column(link, integer=False)
            row({**end, start[v]: -1.0, switch: layers}, upper=layers)
            row({**{c: -x for c, x in end.items()}, start[v]: 1.0, switch: layers}, upper=layers)
            row({flow: 1.0, switch: -link}, upper=0.0)
            balance[i][flow] -= 1.0
            balance[v][flow] += 1.0
            into[v][flow] = 1.0
    for i, kind in enumerate(nodes):
        row(dict(balance[i]), lower=0.0, upper=0.0)
        rates = {c: -kind.tokens_per_s[j - 1] for j, c in hold[i].items()}
        row({**into[i], **rates}, upper=0.0)
    model = builder.build()
    cost = np.zeros(model.n_columns)
    cost[source] = -1.0
    outcome = backend("highs").solve(
        Task(
            model=model, cost=cost, offset=0.0, start=None, time_limit_s=time_limit_s, gap=GAP,
            threads=threads, seed=seed, on_progress=lambda *_: False,
        )
    )  # fmt: skip
    bound = layer_capacity_bound(problem)
    if outcome.bound is not None:
        bound = min(bound, -outcome.bound)
    if outcome.x is None:
        return LayerPlan(tokens_per_s=0.0, bound=bound, held=(), proven=outcome.finished)
    x = outcome.x
    held = []
    for i, kind in enumerate(nodes):
        carried = float(sum(x[c] for c in into[i]))
        count = next(j for j, c in hold[i].items() if x[c] > 0.5)
        if carried > 1e-6:
            first_layer = round(float(x[start[i]]))
            held.append(Held(kind=kind.name, nodes=1, first=first_layer, count=count, tokens_per_s=carried))
    total = float(x[source].sum())
    return LayerPlan(
        tokens_per_s=total,
        bound=max(bound, total),
        held=tuple(sorted(held, key=lambda h: (h.first, h.count, h.kind))),
        proven=outcome.finished,
    )
