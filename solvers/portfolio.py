"""The default: branch and bound for small problems, search and a bound for large ones, both between."""

from __future__ import annotations

from dataclasses import replace

from models.errors import Unsupported
from models.graph import Graph
from models.graph.space import Ints
from solvers.bounds.lower import lower_bounds
from solvers.clock import Clock
from solvers.judge import judged
from solvers.milp.backends import backend
from solvers.milp.classes import find_classes
from solvers.milp.solve import solve_milp
from solvers.options import SolveOptions
from solvers.result import Result

__all__ = ["LARGE", "SMALL", "search_with_bound", "solve_portfolio"]

SMALL = 10_000
"""Decision columns (kinds of objects × places) up to which branch and bound starts at once."""
LARGE = 400_000
"""Decision columns above which branch and bound is not tried."""
SEARCH_SHARE = 0.3
"""Share of the time limit that search gets before branch and bound, where both run."""
SEARCH_ITERATIONS = 300_000
"""Search iterations before branch and bound without a time limit: counted, so that answers repeat."""
BOUND_SHARE = 0.15
"""Share of the time limit kept for the bound of a search result."""
BOUND_TIME_S = 30.0
"""Time for the bound of a search result without a time limit."""


def solve_portfolio(graph: Graph, options: SolveOptions) -> Result:
    """Solve by size. Every result carries a bound; `Result.solver` says what produced the assignment."""
    columns = find_classes(graph).n * (graph.space.n_containers + 1)
    if columns > LARGE:
        return search_with_bound(graph, options)
    clock = Clock(options)
    start = options.start
    if columns > SMALL:
        start = _searched(graph, options, clock)
    try:
        return solve_milp(graph, replace(options, start=start), backend("highs"), clock)
    except Unsupported:
        return search_with_bound(graph, replace(options, start=start))


def _searched(graph: Graph, options: SolveOptions, clock: Clock) -> Ints | None:
    """Where branch and bound should start: what a short search finds, or the given start."""
    from solvers.search.search import search

    limit = options.time_limit_s
    short = replace(
        options,
        time_limit_s=None if limit is None else limit * SEARCH_SHARE,
        iteration_limit=options.iteration_limit or (SEARCH_ITERATIONS if limit is None else None),
    )
    try:
        found = search(graph, short, clock)
    except Unsupported:
        return options.start
    return options.start if found.assignment is None else found.assignment


def search_with_bound(graph: Graph, options: SolveOptions) -> Result:
    """Search, then prove a lower bound for what it found."""
    from solvers.search.search import search

    limit = options.time_limit_s
    clock = Clock(options)
    shorter = options if limit is None else replace(options, time_limit_s=limit * (1 - BOUND_SHARE))
    found = search(graph, shorter, clock)
    if found.assignment is None or clock.cancelled:
        return found
    left = BOUND_TIME_S if limit is None else max(clock.remaining_s or 0.0, 1e-3)
    values = [t.value for t in found.tiers]
    bounds = lower_bounds(graph, values, replace(options, time_limit_s=left, on_progress=None))
    for i, (value, bound) in enumerate(zip(values, bounds, strict=True)):
        clock.report("bound", i, value, bound)
    return judged(
        graph,
        found.assignment,
        solver=found.solver,
        gap=options.gap,
        bounds=bounds,
        cancelled=clock.cancelled,
        timings=replace(found.timings, total_s=clock.elapsed_s),
        trajectory=found.trajectory,
        statistics=found.statistics,
    )
