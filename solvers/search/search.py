"""Search: from a graph and options to a result. `solvers.search.rounds` holds the phases.

Tiers are joined with weights so far apart that a lower tier hardly ever
outweighs a higher one while searching; what is kept is compared tier by tier.
"""

from __future__ import annotations

import numpy as np

from models.graph import Graph
from models.graph.cells import Array
from models.graph.space import Ints
from solvers.clock import Clock
from solvers.judge import judged
from solvers.options import SolveOptions
from solvers.result import Result, Timings
from solvers.search.company import ALONE, Company
from solvers.search.compiled import ensure_compiled
from solvers.search.flatten import Interrupted, flatten, relaxed
from solvers.search.incumbent import Budget, Incumbent
from solvers.search.layout import GROUP, MOVES, OUTCOMES
from solvers.search.model import Model
from solvers.search.rounds import Rounds
from solvers.search.worker import Worker, similarity

__all__ = ["search"]

SEPARATION = 30.0
"""How much the smallest usual change of a tier outweighs a large usual change of the next."""
DEFAULT_LIMIT_S = 10.0
"""Time limit where neither a time nor an iteration limit is given."""


def search(
    graph: Graph, options: SolveOptions, clock: Clock | None = None, *, company: Company = ALONE
) -> Result:
    """Search for the best assignment of `graph` within the limits of `options`.

    Without a time or iteration limit it stops after `DEFAULT_LIMIT_S` seconds. Nothing is proven: the status
    is ``feasible``, ``unknown`` or ``cancelled``. When it has to stop before it could begin, there is no
    assignment, not even the start. With an iteration limit and no time limit reached, the same seed and
    number of threads give the same answer. `company`: other members of a portfolio.

    Raises
    ------
    Unsupported
        When the graph has more elements than search can keep one by one.
    """
    from solvers.search.warmup import compile_kernels

    clock = clock or Clock(options)
    open_ended = options.time_limit_s is None and options.iteration_limit is None
    limit_s = DEFAULT_LIMIT_S if open_ended else options.time_limit_s
    start = _start(graph, options)
    if graph.space.n_objects == 0 or graph.space.n_containers == 0:
        return judged(graph, start, solver="search", gap=options.gap)
    try:
        model = flatten(graph, start, lambda: clock.stopped)
        if not ensure_compiled(compile_kernels, lambda: clock.stopped):
            raise Interrupted
    except Interrupted:
        return judged(graph, None, solver="search", gap=options.gap, cancelled=clock.cancelled)
    order, rank = similarity(model)
    weights = model.weighted(np.ones(model.n_tiers), 1.0)
    first = Worker(model, weights, start, order, rank, options.seed)
    tier_weights, violation = _separate(model, first)
    weights = model.weighted(tier_weights, violation)
    first.reprice(weights)
    others = range(1, options.threads)
    workers = [first, *(Worker(model, weights, start, order, rank, options.seed + 7919 * i) for i in others)]
    for worker in workers:
        worker.fixed_slices = limit_s is None
        worker.slice = 5_000 if limit_s is None else worker.slice
    built = clock.elapsed_s
    evaluating = clock.elapsed_s
    best = Incumbent(graph, start)
    once_s = clock.elapsed_s - evaluating
    if (
        limit_s is not None
    ):  # after the last slice the answer is evaluated, and once more with objects at home
        limit_s = max(0.5 * limit_s, limit_s - 3.0 * once_s)
    budget = Budget(clock, limit_s, options.iteration_limit, [0] * len(workers), 2.0 * once_s)
    run = Rounds(model, workers, budget, best, tier_weights, company)
    run.everything()
    if not clock.cancelled:
        run.send_home()
    counts = np.sum([w.counts for w in workers], axis=0).reshape(MOVES, OUTCOMES)
    seconds = max(clock.elapsed_s - built, 1e-9)
    return judged(
        graph,
        run.best.assignment if _assigned(graph, run.best.assignment) else None,
        solver="search",
        gap=options.gap,
        cancelled=clock.cancelled,
        evaluation=run.best.evaluation,
        timings=Timings(build_s=built, solve_s=seconds, total_s=clock.elapsed_s),
        trajectory=clock.trajectory,
        statistics={
            "iterations": float(sum(budget.used)),
            "evaluations": float(counts[:, 0].sum()),
            "evaluations_per_s": float(counts[:, 0].sum() / seconds),
            "accepted": float(counts[:, 2].sum()),
            "rounds": float(run.rounds),
            "temperature_factor": run.factor,
            "home_pull": run.pull,
            "columns": float(model.slope.size),
            "group_tables": float(model.tables["groups"].size // GROUP),
            "remaining_nodes": float(len(model.node_ids)),
            "threads": float(len(workers)),
        },
    )


def _start(graph: Graph, options: SolveOptions) -> Ints:
    if options.start is None:
        return graph.space.initial.copy()
    return relaxed(graph).space.check(options.start).copy()


def _assigned(graph: Graph, assignment: Ints) -> bool:
    return bool(np.all((assignment >= 0) | graph.space.may_be_unassigned))


def _separate(model: Model, worker: Worker, n: int = 2000) -> tuple[Array, float]:
    """Weights of the tiers and of violations that keep them apart, by the changes random moves make."""
    from solvers.search.state import reweigh

    levels = [*range(model.n_tiers), -1]
    small, large = {}, {}
    for level in levels:
        one = np.zeros(model.n_tiers)
        if level >= 0:
            one[level] = 1.0
        reweigh(worker.state, model.weighted(one, 1.0 if level < 0 else 0.0))
        changes = np.abs(worker.sample(n))
        scale = changes.max(initial=0.0)
        changes = changes[changes > 1e-9 * scale]
        small[level] = float(np.quantile(changes, 0.1)) if changes.size else 1.0
        large[level] = float(np.quantile(changes, 0.9)) if changes.size else 1.0
    weights = np.ones(model.n_tiers)
    for level in range(model.n_tiers - 2, -1, -1):
        weights[level] = weights[level + 1] * SEPARATION * large[level + 1] / small[level]
    violation = weights[0] * SEPARATION * large[0] / small[-1] if model.n_tiers else 1.0
    return weights, violation
