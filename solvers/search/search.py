"""Search: descend, then anneal in rounds whose temperature is found by trying, threads side by side.

No option is set per problem. Tiers are joined with weights so far apart that a lower tier hardly ever
outweighs a higher one while searching; what is kept is compared tier by tier.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from models.graph import Evaluation, Graph, evaluate
from models.graph.cells import Array
from models.graph.space import Ints
from solvers.clock import Clock
from solvers.judge import judged
from solvers.options import SolveOptions
from solvers.result import Result, Timings
from solvers.search.flatten import flatten, relaxed
from solvers.search.layout import GROUP, MOVES, OUTCOMES
from solvers.search.model import Model
from solvers.search.worker import Worker, similarity

__all__ = ["search"]

SEPARATION = 30.0
"""How much the smallest usual change of a tier outweighs a large usual change of the next."""
ROUNDS = (0.04, 0.05, 0.07, 0.10, 0.14, 0.20, 0.40)
"""Shares of the time of the annealing rounds; what they learn about the temperature serves the next."""
DECADES = 4.0
"""Orders of magnitude a round cools by before it ends in a descent."""
DESCENT = 0.5
"""Largest share of the budget that the first descent may take."""
DEFAULT_LIMIT_S = 10.0
"""Time limit where neither a time nor an iteration limit is given."""


@dataclass(slots=True)
class _Best:
    """The best assignment so far: by objects that lack a container, by violation, then tier by tier."""

    graph: Graph
    assignment: Ints
    evaluation: Evaluation
    key: tuple[float, ...] = ()
    cost: float = 0.0

    def __post_init__(self) -> None:
        self.key = _key(self.graph, self.assignment, self.evaluation)

    def offer(self, assignment: Ints, cost: float) -> bool:
        """Take `assignment` if it is better."""
        evaluation = evaluate(relaxed(self.graph), assignment)
        key = _key(self.graph, assignment, evaluation)
        for mine, other in zip(self.key, key, strict=True):
            if abs(mine - other) > 1e-9 * max(1.0, abs(mine), abs(other)):
                if other > mine:
                    return False
                self.assignment, self.evaluation, self.key, self.cost = assignment, evaluation, key, cost
                return True
        return False


def _key(graph: Graph, assignment: Ints, evaluation: Evaluation) -> tuple[float, ...]:
    violation = sum(c.violation for c in evaluation.constraints if c.constraint.enforcement == "hard")
    stranded = int(((assignment < 0) & ~graph.space.may_be_unassigned).sum())
    return (float(stranded), float(violation), *evaluation.tiers.tolist())


@dataclass(slots=True)
class _Budget:
    """Time or iterations, whichever is limited; shared by all threads."""

    clock: Clock
    time_limit_s: float | None
    iteration_limit: int | None
    used: list[int] = field(default_factory=list)

    def fraction(self, thread: int) -> float:
        """Share of the budget that is gone, for this thread."""
        spent = 0.0
        if self.iteration_limit is not None:
            spent = self.used[thread] * len(self.used) / self.iteration_limit
        if self.time_limit_s is not None:
            spent = max(spent, self.clock.elapsed_s / self.time_limit_s)
        return spent


def search(graph: Graph, options: SolveOptions, clock: Clock | None = None) -> Result:
    """Search for the best assignment of `graph` within the limits of `options`.

    Without a time or iteration limit it stops after `DEFAULT_LIMIT_S` seconds. Nothing is proven: the status
    is ``feasible``, ``unknown`` or ``cancelled``. With an iteration limit and no time limit reached, the same
    seed and number of threads give the same answer.

    Raises
    ------
    Unsupported
        When the graph has more elements than search can keep one by one.
    """
    clock = clock or Clock(options)
    open_ended = options.time_limit_s is None and options.iteration_limit is None
    limit_s = DEFAULT_LIMIT_S if open_ended else options.time_limit_s
    start = _start(graph, options)
    if graph.space.n_objects == 0 or graph.space.n_containers == 0:
        return judged(graph, start, solver="search", gap=options.gap)
    model = flatten(graph, start)
    order, rank = similarity(model)
    weights = model.weighted(np.ones(model.n_tiers), 1.0)
    first = Worker(model, weights, start, order, rank, options.seed)
    tier_weights, violation = _separate(model, first)
    weights = model.weighted(tier_weights, violation)
    workers = [
        Worker(model, weights, start, order, rank, options.seed + 7919 * i) for i in range(options.threads)
    ]
    for worker in workers:
        worker.fixed_slices = limit_s is None
        worker.slice = 5_000 if limit_s is None else worker.slice
    built = clock.elapsed_s
    budget = _Budget(clock, limit_s, options.iteration_limit, [0] * len(workers))
    run = _Run(graph, model, workers, budget, clock, _Best(graph, start, evaluate(relaxed(graph), start)))
    run.everything()
    counts = np.sum([w.counts for w in workers], axis=0).reshape(MOVES, OUTCOMES)
    seconds = max(clock.elapsed_s - built, 1e-9)
    return judged(
        graph,
        run.best.assignment if _assigned(graph, run.best.assignment) else None,
        solver="search",
        gap=options.gap,
        cancelled=clock.cancelled,
        timings=Timings(build_s=built, solve_s=seconds, total_s=clock.elapsed_s),
        trajectory=clock.trajectory,
        statistics={
            "iterations": float(sum(budget.used)),
            "evaluations": float(counts[:, 0].sum()),
            "evaluations_per_s": float(counts[:, 0].sum() / seconds),
            "accepted": float(counts[:, 2].sum()),
            "rounds": float(run.rounds),
            "temperature_factor": run.factor,
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
    """Weights of the tiers, and of violations, from the changes that random moves make."""
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


class _Run:
    """The phases of one search."""

    def __init__(
        self,
        graph: Graph,
        model: Model,
        workers: Sequence[Worker],
        budget: _Budget,
        clock: Clock,
        best: _Best,
    ) -> None:
        self.graph, self.model, self.workers = graph, model, workers
        self.budget, self.clock, self.best = budget, clock, best
        self.rounds = 0
        self.factor = 1.0

    def everything(self) -> None:
        """Descend, then anneal until the budget is gone."""
        pool = ThreadPoolExecutor(len(self.workers))
        with pool:
            self._all(pool, self._descend)
            base = self._base_temperature()
            factors = [1.0, 0.125]
            scores: dict[float, tuple[float, ...]] = {}
            spent = self.budget.fraction(0)
            edges = spent + (1.0 - spent) * np.cumsum(ROUNDS) / sum(ROUNDS)
            for k, end in enumerate(edges):
                if self._over():
                    break
                begin = self.budget.fraction(0)
                tried = [self._factor(k, i, factors) for i in range(len(self.workers))]
                costs = self._all(
                    pool,
                    lambda i, w, b=begin, e=end, t=tried: self._anneal(i, w, base * t[i], b, e),  # type: ignore[misc]
                )
                self.rounds += 1
                winner = int(np.argmin(costs))
                scores[tried[winner]] = self.best.key
                self.factor = tried[winner]
                factors = [self.factor]

    def _factor(self, k: int, thread: int, factors: list[float]) -> float:
        ladder = (1.0, 0.125, 4.0, 0.5, 1.0, 1.0, 1.0)
        if k < 4:
            return ladder[k] * (1.0 if thread == 0 else 3.0)
        return factors[0] * (1.0, 0.5, 2.0, 0.7)[thread % 4]

    def _all(self, pool: ThreadPoolExecutor, task: Callable[[int, Worker], float]) -> list[float]:
        """Run `task` on every worker, then share the best."""
        if len(self.workers) == 1:
            costs = [task(0, self.workers[0])]
        else:
            costs = list(pool.map(task, range(len(self.workers)), self.workers))
        self._share()
        return costs

    def _share(self) -> None:
        """Offer the best worker's assignment; then all go on from the best."""
        for worker in sorted(self.workers, key=lambda w: w.cost)[:1]:
            if worker.cost < self.best.cost:
                self.best.offer(worker.assignment(), worker.cost)
        for worker in self.workers:
            if worker.cost != self.best.cost and not self._over():
                worker.go_to(self.best.assignment, self.best.cost)
        for level, value in enumerate(self.best.key[2:]):
            self.clock.report("search", level, value, None)

    def _over(self) -> bool:
        return self.clock.stopped or self.budget.fraction(0) >= 1.0

    def _descend(self, thread: int, worker: Worker) -> float:
        """Only improving moves, until little comes of it."""
        first = worker.cost
        size = 2 * self.model.n_objects
        while not self._over() and self.budget.fraction(thread) < DESCENT:
            worker.refocus()
            before, done = worker.cost, 0
            while done < size and not self._over() and self.budget.fraction(thread) < DESCENT:
                n = worker.run(0.0)
                self.budget.used[thread] += n
                done += n
            if worker.cost > before - 0.02 * (first - before) - 1e-12:
                break
        return worker.cost

    def _base_temperature(self) -> float:
        changes = self.workers[0].sample(4000)
        uphill = changes[changes > 0]
        low = self._last_tier_scale()
        return min(float(np.quantile(uphill, 0.5)), low) if uphill.size else low

    def _last_tier_scale(self) -> float:
        """Half of the uphill changes that random moves make in the last tier are below this."""
        from solvers.search.state import reweigh

        worker = self.workers[0]
        weights = worker.state.G
        one = np.zeros(self.model.n_tiers)
        one[-1:] = 1.0
        reweigh(worker.state, self.model.weighted(one, 0.0))
        changes = worker.sample(4000)
        reweigh(worker.state, weights)
        uphill = changes[changes > 1e-12]
        return float(np.quantile(uphill, 0.5)) if uphill.size else 1.0

    def _anneal(self, thread: int, worker: Worker, hot: float, begin: float, end: float) -> float:
        """Geometric cooling from `hot`, from `begin` to `end` of the budget."""
        worker.refocus()
        best_cost, best_at = worker.cost, worker.assignment()
        last_copy = time.perf_counter()
        while True:
            now = self.budget.fraction(thread)
            if now >= end or self.clock.stopped:
                break
            progress = (now - begin) / max(end - begin, 1e-9)
            n = worker.run(hot * 10.0 ** (-DECADES * progress) if progress < 0.95 else 0.0)
            self.budget.used[thread] += n
            due = progress > 0.5 or worker.fixed_slices or time.perf_counter() - last_copy > 0.2
            if due and worker.cost < best_cost - 1e-12 * abs(best_cost):
                best_cost, best_at = worker.cost, worker.assignment()
                last_copy = time.perf_counter()
        if best_cost < worker.cost:
            worker.go_to(best_at, best_cost)
        return worker.cost
