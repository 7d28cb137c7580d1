"""The default solver: by size, branch and bound, search, parts solved exactly, and bounds, one after another
or side by side.

Every result carries a bound for each tier. With one thread and without a time limit, or with an iteration
limit, what runs is counted in work, not in time, so that answers repeat.
"""

from __future__ import annotations

import numpy as np

from models.graph import Graph, StaticWeights
from solvers.clock import Clock
from solvers.milp.classes import find_classes
from solvers.milp.lowering import open_columns
from solvers.options import SolveOptions
from solvers.portfolio.team import Team
from solvers.result import Result

__all__ = ["LARGE", "PARTS_UP_TO", "SMALL", "search_with_bound", "solve_portfolio"]

SMALL = 10_000
"""Decision columns (kinds of objects × places open to them) up to which branch and bound starts at once."""
TINY = 1_000
"""Decision columns up to which nothing comes before branch and bound."""
QUICK_ITERATIONS = 50_000
"""Iterations of search before branch and bound of a small problem: they settle what is easy."""
LARGE = 400_000
"""Decision columns above which branch and bound of the whole problem is not tried."""
PARTS_UP_TO = 50_000_000
"""Objects × containers up to which parts are solved exactly: beyond, they are too small a part to matter."""
SAMPLE = 5_000
"""Objects that are looked at to see that a problem is large."""
FIRST_ITERATIONS = 200_000
"""Iterations of search before branch and bound: a good start, for little time."""
FIRST_SHARE, FIRST_S = 0.2, 1.0
"""Largest share of the time limit, and longest time, for them."""
BRANCH_SHARE = 0.2
"""Share of the time limit after which it is asked whether branch and bound gets anywhere."""
NEAR, WIDE = 0.01, 0.03
"""Relative gaps up to which one thread stays with branch and bound, and several give one of them to it."""
SEARCH_SHARE = 0.85
"""Share of the time limit for search; parts and, for large problems, bounds have the rest."""
BOUND_SHARE = 0.1
"""Share of the time limit for the bound of a search result."""
HEAD_START_S = 2.0
"""Time that branch and bound of a small problem has before other threads begin to search."""
DEFAULT_ITERATIONS = 20_000_000
"""Iterations of search of a large problem without any limit."""
ITERATIONS_PER_PART = 100_000
"""With an iteration limit: one part is solved exactly for so many iterations, at most `MOST_PARTS`."""
MOST_PARTS = 50


def solve_portfolio(graph: Graph, options: SolveOptions) -> Result:
    """Solve by size. `Result.solver` says what produced the assignment: ``highs``, ``search`` or ``lns``."""
    team = Team(graph, options, Clock(options))
    if graph.space.n_objects == 0 or graph.space.n_containers == 0:
        team.branch(None)
        return team.result()
    if team.finished:
        return team.result()
    columns = _columns(graph)
    if columns > LARGE:
        _large(team)
    elif options.threads > 1 and options.time_limit_s is not None and options.iteration_limit is None:
        _side_by_side(team, columns)
    else:
        _in_turn(team, columns)
    return team.result()


def _columns(graph: Graph) -> int:
    """Kinds of objects × places open to them; for large problems a lower limit, from a sample of objects."""
    places = graph.space.n_containers + 1
    n = graph.space.n_objects
    if n > SAMPLE:
        weights = {id(w): w for node in graph.nodes if (w := getattr(node.op, "weights", None)) is not None}
        tables = [w.values[:SAMPLE] for w in weights.values() if isinstance(w, StaticWeights)]
        if tables:
            least = int(np.unique(np.concatenate(tables, axis=1), axis=0).shape[0]) * places
            if least > LARGE:
                return least
    columns = find_classes(graph).n * places
    # many objects may have few places they fit: a quick count, next to what a search would cost
    return open_columns(graph) if SMALL < columns <= LARGE else columns


def search_with_bound(graph: Graph, options: SolveOptions) -> Result:
    """Search, then prove a lower bound for what it found."""
    team = Team(graph, options, Clock(options))
    limit = options.time_limit_s
    until = None if limit is None else limit * (1 - BOUND_SHARE)
    team.search(until, iterations=_iterations(options), required=True)
    team.bound(None)
    return team.result()


def _iterations(options: SolveOptions) -> int | None:
    if options.iteration_limit is not None or options.time_limit_s is not None:
        return options.iteration_limit
    return DEFAULT_ITERATIONS


def _search_first(team: Team, columns: int) -> None:
    """A short search that ends where a tier's bound is plain to see; otherwise a start for what follows."""
    limit, most = team.options.time_limit_s, team.options.iteration_limit
    until = None if limit is None else min(limit * FIRST_SHARE, FIRST_S)
    if columns > SMALL:
        team.search(until, iterations=most or FIRST_ITERATIONS)
    elif columns > TINY:
        team.search(until, iterations=min(most or QUICK_ITERATIONS, QUICK_ITERATIONS))


def _in_turn(team: Team, columns: int) -> None:
    """One thread: a short search unless the problem is tiny, then branch and bound.

    Where that does not get near a proof, search and parts have the rest of the time.
    """
    limit = team.options.time_limit_s
    _search_first(team, columns)
    if limit is None or columns <= SMALL:
        team.branch(None)
    elif not team.branch(limit * BRANCH_SHARE, stay_below=NEAR):
        team.search(limit * SEARCH_SHARE)
        _bound_and_parts(team, limit * (SEARCH_SHARE + BOUND_SHARE))


def _side_by_side(team: Team, columns: int) -> None:
    """Branch and bound in one thread, search in the others, which has all of them once that is given up.

    Branch and bound goes on while its gap is narrow; then a new one starts from the better incumbent, which
    rules out more of the problem.
    """
    limit, threads = team.options.time_limit_s, team.options.threads
    assert limit is not None
    _search_first(team, columns)

    def branch() -> None:
        team.branch(limit * BRANCH_SHARE)
        gap = team.gap
        if gap is not None and gap <= WIDE:
            team.branch(None)

    with team.beside(branch) as branching:
        if columns <= SMALL:
            branching.join(HEAD_START_S)
        team.search(limit * SEARCH_SHARE, busy=lambda: int(branching.is_alive()))
        if branching.is_alive():
            team.improve(None, threads=threads - 1)
    _bound_and_parts(team, limit * (SEARCH_SHARE + BOUND_SHARE))


def _bound_and_parts(team: Team, bound_until_s: float, *, parts: bool = True) -> None:
    """The end of a search: a bound in one thread, which then solves parts like all others."""

    def bound_then_improve() -> None:
        team.bound(bound_until_s)
        if parts:
            team.improve(None)

    with team.beside(bound_then_improve):
        if parts and team.options.threads > 1:
            team.improve(None, threads=team.options.threads - 1)


def _large(team: Team) -> None:
    """Search with all threads, then a bound, and parts of the problem as far as they matter."""
    options, space = team.options, team.graph.space
    limit = options.time_limit_s
    parts = space.n_objects * space.n_containers <= PARTS_UP_TO
    iterations = _iterations(options)
    share = SEARCH_SHARE if parts else 1 - BOUND_SHARE
    if limit is None:
        assert iterations is not None
        team.search(None, iterations=iterations, required=True)
        if parts:
            team.improve(None, parts=min(max(iterations // ITERATIONS_PER_PART, 1), MOST_PARTS))
        team.bound(None)
        return
    if parts and options.threads > 1 and team.best.feasible:
        # a bound from the start: where search reaches it, it need not go on
        with team.beside(lambda: team.bound(limit * BOUND_SHARE)):
            team.search(limit * share, iterations=iterations, required=True)
    else:
        team.search(limit * share, iterations=iterations, required=True)
    _bound_and_parts(team, limit * (share + BOUND_SHARE), parts=parts)
