"""The members of the portfolio at work on one problem: search, exact parts, branch and bound, bounds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from models.errors import Unsupported
from models.graph import Evaluation, Graph
from solvers.bounds.lower import lower_bounds
from solvers.clock import Clock
from solvers.judge import judged
from solvers.milp.backends import backend
from solvers.milp.solve import solve_milp
from solvers.options import Progress, SolveOptions
from solvers.portfolio.best import Best
from solvers.portfolio.immediate import immediate_bounds
from solvers.portfolio.listening import Enough, Watch
from solvers.result import INFEASIBLE, OPTIMAL, Result, Timings, relative_gap

if TYPE_CHECKING:
    from solvers.lns.improve import Improver

__all__ = ["Team"]


ADDED = frozenset(
    {"accepted", "cut_rounds", "evaluations", "iterations", "nodes", "rounds", "simplex_iterations"}
)
"""Statistics that add up over several runs of a member; of others the last run's stand."""
PART_SHARE = 0.1
"""Share of the time for parts that one of them may take at most."""
RESERVE_SHARE = 0.2
"""Largest share of the time limit kept for evaluating the answer."""
LEAST_PART_S, MOST_PART_S = 0.3, 5.0
"""Least and largest time limit of a part."""


@dataclass(slots=True)
class _Bounds:
    """Lower bounds of the tiers, and the values of the tiers they were proven for."""

    bounds: list[float | None]
    values: tuple[float, ...]

    def at(self, values: tuple[float, ...]) -> list[float | None]:
        """What holds for assignments as good as `values`: a bound needs every earlier tier to be as good."""
        out: list[float | None] = []
        as_good = True
        for bound, mine, value in zip(self.bounds, self.values, values, strict=False):
            out.append(bound if as_good else None)
            as_good = as_good and value <= mine + 1e-9 * max(1.0, abs(mine))
        return out


@dataclass(slots=True)
class Team:
    """One solve. Members may run in threads of their own; what they find meets in `best`.

    Parameters
    ----------
    graph, options
        The problem and what was asked.
    clock
        Started with the solve.
    """

    graph: Graph
    options: SolveOptions
    clock: Clock
    best: Best = field(init=False)
    exact: Result | None = None
    statistics: dict[str, float] = field(default_factory=dict)
    _proven: list[_Bounds] = field(default_factory=list)
    _done: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _making: threading.Lock = field(default_factory=threading.Lock)
    _shared: Improver | None = None
    _immediate: list[float] = field(default_factory=list)
    _searching_s: float = 0.0
    _reserve_s: float = 0.0

    def __post_init__(self) -> None:
        start = self.graph.space.initial if self.options.start is None else self.options.start
        begun_s = self.clock.elapsed_s
        self.best = Best(self.graph, start)
        if self.options.time_limit_s is not None:
            # what comes in late is evaluated, and so is the answer
            once_s = self.clock.elapsed_s - begun_s
            self._reserve_s = min(3.0 * once_s, RESERVE_SHARE * self.options.time_limit_s)
        self._immediate = immediate_bounds(self.graph)

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do: proven, out of time or cancelled."""
        return self._done.is_set() or self.clock.stopped

    @contextmanager
    def beside(self, member: Callable[[], object]) -> Iterator[threading.Thread]:
        """Let `member` run in a thread of its own; at the end it is waited for, and its error raised."""
        failed: list[BaseException] = []

        def run() -> None:
            try:
                member()
            except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
                failed.append(error)
                self._done.set()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield thread
        finally:
            thread.join()
        if failed:
            raise failed[0]

    def bounds_for(self, values: tuple[float, ...]) -> list[float | None]:
        """The best that is proven for assignments as good as `values`."""
        out: list[float | None] = [*self._immediate]
        with self._lock:
            for proven in self._proven:
                for level, bound in enumerate(proven.at(values)):
                    known = out[level]
                    if bound is not None and (known is None or bound > known):
                        out[level] = bound
        return out

    @property
    def bounds(self) -> list[float | None]:
        """The same for the best so far; empty while there is none."""
        return self.bounds_for(self.best.tiers) if self.best.feasible else []

    @property
    def gap(self) -> float | None:
        """Relative gap of the first tier that is not proven; 0 when all are, None without an assignment."""
        if not self.best.feasible:
            return None
        for value, bound in zip(self.best.tiers, self.bounds, strict=True):
            gap = relative_gap(value, bound)
            if gap is None or gap > self.options.gap:
                return gap
        return 0.0

    # -- members ---------------------------------------------------------------------------------------------

    def search(
        self,
        until_s: float | None,
        *,
        iterations: int | None = None,
        threads: int | None = None,
        required: bool = False,
        busy: Callable[[], int] | None = None,
    ) -> None:
        """Search until `until_s` on the clock, for some iterations, or until nothing better is possible.

        `busy`: how many of the threads are taken by others as yet; search uses them as they come free.

        Raises Unsupported when `required` and the graph has more elements than search can keep.
        """
        from solvers.search.company import Company
        from solvers.search.search import search

        left = self._left(until_s)
        if self.finished or (left is not None and left <= 0):
            return
        options = self._inner("search", left, threads or self.options.threads, iterations)
        enough = Enough(self.bounds_for, len(self.graph.tiers))
        listening = replace(
            options,
            start=self.best.assignment,
            on_progress=enough.hearing(options.on_progress),
            cancelled=lambda: self.finished or enough.reached,
        )
        try:
            company = Company()
            if busy is not None:
                company = Company(lambda: listening.threads - busy(), self.best.better_than)
            self._take(search(self.graph, listening, company=company))
            if enough.reached and not self.best.feasible and not self.finished:
                # as good as can be, but some limit was still broken: go on until time is over
                left = self._left(until_s)
                again = self._inner("search", left, options.threads, iterations)
                self._take(search(self.graph, replace(again, start=self.best.assignment)))
        except Unsupported:
            if required:
                raise
            return
        if enough.reached and self.best.feasible:
            self._done.set()

    def _take(self, found: Result) -> None:
        if found.assignment is not None:
            values = np.array([t.value for t in found.tiers])
            self.best.offer(found.assignment, "search", Evaluation(values, (), found.constraints))
        self._count(found)

    def improve(self, until_s: float | None, *, parts: int | None = None, threads: int = 1) -> bool:
        """Solve parts exactly until `until_s`, or that many; whether any of them made it better."""
        from solvers.lns.neighbourhoods import Chooser

        if self.finished or not self.best.feasible or not self.graph.tiers:
            return False
        work = self._improver()
        left = self._left(until_s)
        most_s = MOST_PART_S if left is None else min(max(left * PART_SHARE, LEAST_PART_S), MOST_PART_S)
        seeds = np.random.SeedSequence(self.options.seed).spawn(threads)

        def run(seed: np.random.SeedSequence) -> None:
            chooser = Chooser(work.incumbent, np.random.default_rng(seed))
            done = 0
            while not self.finished and (parts is None or done < parts):
                left = self._left(until_s)
                if left is not None and left <= LEAST_PART_S:
                    break
                options = self._inner("lns", left, 1, None)
                work.step(chooser, options, part_s=None if left is None else min(most_s, left))
                done += 1

        if threads == 1:
            run(seeds[0])
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(run, seeds))
        if work.better:
            self.best.offer(work.incumbent.assignment, "lns")
        with self._lock:
            self.statistics |= {"parts": float(work.tried), "parts_better": float(work.better)}
        return work.better > 0

    def _improver(self) -> Improver:
        """The one that all threads share, at the best so far."""
        from solvers.lns.improve import Improver
        from solvers.lns.incumbent import Incumbent

        with self._making:
            if self._shared is None:
                self._shared = Improver(Incumbent(self.graph, self.best.assignment), self._improved)
            elif self.best.tiers < self._shared.incumbent.tiers:
                self._shared.move_to(self.best.assignment)
            return self._shared

    def branch(self, until_s: float | None, *, threads: int = 1, stay_below: float = 0.0) -> bool:
        """Branch and bound from the best so far; whether it settled the problem.

        `until_s` counts only while the gap is above `stay_below`.
        """
        options = self._inner("milp", self._left(None if stay_below > 0 else until_s), threads, None)
        start = self.best.assignment if self.best.assigned else None
        watch = Watch(stay_below)

        def leave() -> bool:
            late = until_s is not None and self.clock.elapsed_s > until_s
            return self.finished or (late and watch.wide)

        options = replace(
            options, start=start, on_progress=watch.hearing(options.on_progress), cancelled=leave
        )
        try:
            found = solve_milp(self.graph, options, backend("highs"))
        except Unsupported:
            return False
        with self._lock:
            self.exact = found
            self._proven.append(_Bounds([t.bound for t in found.tiers], tuple(t.value for t in found.tiers)))
        if found.assignment is not None:
            self.best.offer(found.assignment, "highs")
        self._count(found)
        if found.status in (OPTIMAL, INFEASIBLE):
            self._done.set()
        return self._done.is_set()

    def bound(self, until_s: float | None) -> None:
        """Lower bounds for the best so far."""
        if self.finished or not self.best.feasible:
            return
        values = self.best.tiers
        options = replace(self._inner("bound", self._left(until_s), 1, None), on_progress=None)
        found = lower_bounds(self.graph, values, options, assignment=self.best.assignment)
        with self._lock:
            self._proven.append(_Bounds(list(found), values))
        for level, (value, bound) in enumerate(zip(values, found, strict=True)):
            self._report("bound", level, value, bound)

    # -- the answer ------------------------------------------------------------------------------------------

    def result(self) -> Result:
        """The best assignment with everything that is proven about it."""
        infeasible = self.exact is not None and self.exact.status == INFEASIBLE
        solver = (
            self.best.source if self.best.source not in ("start",) else "highs" if self.exact else "search"
        )
        cancelled = self.clock.cancelled and not self._done.is_set()
        elapsed = self.clock.elapsed_s
        build = self.exact.timings.build_s if self.exact is not None else 0.0
        return judged(
            self.graph,
            self.best.assignment if self.best.assigned and not infeasible else None,
            solver=solver,
            gap=self.options.gap,
            bounds=self.bounds,
            infeasible=infeasible,
            cancelled=cancelled,
            evaluation=self.best.evaluation,
            timings=Timings(build_s=build, solve_s=elapsed - build, total_s=elapsed),
            trajectory=self.clock.trajectory,
            statistics=self.statistics,
        )

    # -- inside ----------------------------------------------------------------------------------------------

    def _left(self, until_s: float | None) -> float | None:
        """Seconds until `until_s` on the clock, or until the answer is due; None without either."""
        limit = self.options.time_limit_s
        due = None if limit is None else limit - self._reserve_s
        ends = [e for e in (until_s, due) if e is not None]
        return min(ends) - self.clock.elapsed_s if ends else None

    def _inner(self, phase: str, left: float | None, threads: int, iterations: int | None) -> SolveOptions:
        return replace(
            self.options,
            time_limit_s=None if left is None else max(left, 1e-3),
            iteration_limit=iterations,
            threads=threads,
            on_progress=self._forward(phase),
            cancelled=lambda: self.finished,
        )

    def _forward(self, phase: str) -> Callable[[Progress], None]:
        return lambda p: self._report(phase, p.tier, p.objective, p.bound, p.evaluations_per_s)

    def _report(
        self,
        phase: str,
        tier: int,
        objective: float | None,
        bound: float | None,
        evaluations_per_s: float | None = None,
    ) -> None:
        if objective is not None and self._immediate:  # without goals there is nothing to bound
            # the first tier's bounds hold for all assignments, as immediate ones do for every tier
            known = self.bounds_for((objective,))[0] if tier == 0 else self._immediate[tier]
            if known is not None and np.isfinite(known) and (bound is None or known > bound):
                bound = known
        with self._lock:
            self.clock.report(phase, tier, objective, bound, evaluations_per_s)

    def _improved(self, tiers: tuple[float, ...]) -> None:
        for level, value in enumerate(tiers):
            self._report("lns", level, value, None)

    def _count(self, found: Result) -> None:
        with self._lock:
            for name, value in found.statistics.items():
                before = self.statistics.get(name, 0.0) if name in ADDED else 0.0
                self.statistics[name] = before + value
            if found.solver == "search":
                self._searching_s += found.timings.solve_s
                if self._searching_s > 0:
                    evaluations = self.statistics.get("evaluations", 0.0)
                    self.statistics["evaluations_per_s"] = evaluations / self._searching_s
