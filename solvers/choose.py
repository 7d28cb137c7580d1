"""The front door: choose a solver, run it."""

from __future__ import annotations

from models.errors import UnknownName
from models.graph import Graph
from solvers.milp.backends import backend, backend_names
from solvers.options import SolveOptions
from solvers.result import Result

__all__ = ["solve", "solver_names"]


def solver_names() -> tuple[str, ...]:
    """What `SolveOptions.solver` may be; ``pulp`` also as ``pulp:NAME`` with a solver PuLP knows."""
    return ("auto", *backend_names(), "search")


def solve(graph: Graph, options: SolveOptions | None = None) -> Result:
    """Solve `graph`: minimise its tiers in order over all assignments that hold its hard constraints.

    Raises
    ------
    UnknownName, Unavailable
        The solver does not exist, or is not installed.
    InvalidInput
        The start is not an assignment of the graph's space.
    Unsupported
        The chosen solver cannot state the graph exactly.
    SolverFailed
        A backend broke or contradicted the reference evaluation.
    """
    options = options or SolveOptions()
    if options.solver.partition(":")[0] not in solver_names():
        raise UnknownName("solver", options.solver, solver_names())
    if options.start is not None:
        graph.space.check(options.start)
    if options.solver == "auto":
        from solvers.portfolio import solve_portfolio

        return solve_portfolio(graph, options)
    if options.solver == "search":
        from solvers.portfolio import search_with_bound

        return search_with_bound(graph, options)
    from solvers.milp.solve import solve_milp

    return solve_milp(graph, options, backend(options.solver))
