"""Exact solving: lower the graph, minimise its tiers one after another, decode, judge."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.graph import Graph, evaluate
from models.graph.cells import Array
from models.graph.space import Ints
from solvers.clock import Clock
from solvers.judge import judged
from solvers.milp.backend import Backend, Outcome, Task
from solvers.milp.linear import Linear
from solvers.milp.lowering import Lowered, lower
from solvers.milp.model import MilpModel, Rows
from solvers.options import SolveOptions
from solvers.result import Result, Timings, relative_gap
from solvers.steps import lifted_bound, tier_step

__all__ = ["solve_milp"]

MOST_DETAIL = 3
"""How often a coarse approximation is made four times finer."""


def solve_milp(graph: Graph, options: SolveOptions, backend: Backend, clock: Clock | None = None) -> Result:
    """Solve `graph` exactly with one backend; see `solvers.solve`. `clock`: one that runs already."""
    clock = clock or Clock(options)
    begun_s = clock.elapsed_s
    clock.report("build", 0, None, None)
    lowered = lower(graph)
    built_s = clock.elapsed_s
    run = _Run(graph, lowered, options, backend, clock)
    run.minimise_all()
    return judged(
        graph,
        run.incumbent,
        solver=backend.name,
        gap=options.gap,
        bounds=run.bounds,
        resolution=[run.resolution(i) for i in range(len(graph.tiers))],
        infeasible=run.infeasible,
        cancelled=clock.cancelled,
        timings=Timings(
            build_s=built_s - begun_s, solve_s=clock.elapsed_s - built_s, total_s=clock.elapsed_s
        ),
        trajectory=clock.trajectory,
        statistics=run.statistics,
    )


class _Run:
    """The lexicographic minimisation of one lowered graph."""

    def __init__(
        self, graph: Graph, lowered: Lowered, options: SolveOptions, backend: Backend, clock: Clock
    ) -> None:
        self.graph = graph
        self.lowered = lowered
        self.options = options
        self.backend = backend
        self.clock = clock
        self.model: MilpModel = lowered.model
        self.incumbent: Ints | None = None
        self.values: Array = np.empty(0)
        self.detail = 0
        self.tolerances: list[float] = []
        self.bounds: list[float | None] = []
        self.infeasible = False
        self.statistics: dict[str, float] = {
            "objects": float(graph.space.n_objects),
            "object_classes": float(lowered.decision.classes.n),
            "columns": float(self.model.n_columns),
            "integer_columns": float(self.model.integer.sum()),
            "rows": float(self.model.n_rows),
            "nonzeros": float(self.model.matrix.nnz),
        }
        start = graph.space.initial if options.start is None else options.start
        allowed = (start >= 0) | graph.space.may_be_unassigned
        if np.all(allowed):
            self.offer(np.asarray(start, np.int32))

    def offer(self, assignment: Ints) -> bool:
        """Keep `assignment` when it is feasible and better than the incumbent, earlier tiers first."""
        evaluation = evaluate(self.graph, assignment)
        if not evaluation.feasible:
            return False
        if self.incumbent is None or self._better(evaluation.tiers):
            self.incumbent, self.values = assignment, evaluation.tiers
            return True
        return False

    def _better(self, values: Array) -> bool:
        for i, (new, old) in enumerate(zip(values.tolist(), self.values.tolist(), strict=True)):
            if i < len(self.tolerances):
                if new > old + self.tolerances[i]:
                    return False
            elif new != old:
                return bool(new < old)
        return False

    def minimise_all(self) -> None:
        """Tier after tier; stops at a limit, at infeasibility, or at an unproven tier."""
        n = len(self.graph.tiers)
        for i in range(max(n, 1)):
            bound, done = self._minimise(i)
            if n:
                self.bounds.append(bound)
            if not done or self.infeasible or self.incumbent is None:
                return
            if i + 1 < n:
                self.tolerances.append(self._pin(i))

    def _tier(self, i: int) -> Linear:
        """The expression of tier `i`; 0 where the graph has no tiers."""
        return self.lowered.tiers.taken(np.array([i])) if self.graph.tiers else Linear.constants(np.zeros(1))

    def _minimise(self, i: int) -> tuple[float | None, bool]:
        """Bound of tier `i` and whether it is proven."""
        low, _ = self.lowered.range(self._tier(i))
        bound: float = float(low[0])
        while True:
            if self.incumbent is not None and self._proven(i, bound):
                return bound, True
            outcome = self._solve(i, self._tier(i))
            self._count(outcome.statistics)
            if outcome.infeasible:
                self.infeasible = i == 0 and self.incumbent is None
                return None, False
            if outcome.bound is not None:
                bound = max(bound, lifted_bound(outcome.bound, self._step(i)))
            if outcome.x is not None:
                self.offer(self.lowered.decode(outcome.x))
            if self.incumbent is not None and self._proven(i, bound):
                return bound, True
            if not outcome.finished or self.clock.stopped or outcome.x is None:
                return bound, False
            if not self._cut(outcome.x) and not self._refine(i):
                return bound, False

    def _proven(self, i: int, bound: float) -> bool:
        if i >= self.values.size:
            return True
        value = float(self.values[i])
        gap = relative_gap(value, bound)
        return value - bound <= self.resolution(i) or (gap is not None and gap <= self.options.gap)

    def resolution(self, i: int) -> float:
        """Difference in tier `i` that is rounding: backends are exact to about this part of a unit's cost."""
        return 1e-7 * max(float(np.abs(self._tier(i).coefficient).max(initial=0.0)), 0.1)

    def _step(self, i: int) -> float:
        return tier_step(self.graph.tiers[i]) if self.graph.tiers else 0.0

    def _solve(self, i: int, tier: Linear) -> Outcome:
        cost = np.zeros(self.model.n_columns)
        cost[tier.column] = tier.coefficient
        return self.backend.solve(
            Task(
                model=self.model,
                cost=cost,
                offset=float(tier.constant[0]),
                start=None if self.incumbent is None else self.lowered.encode(self.incumbent),
                time_limit_s=self.clock.remaining_s,
                gap=self.options.gap,
                absolute_gap=max(1e-9, 0.9 * self._step(i)),  # the rest of a step is proven by rounding up
                threads=self.options.threads,
                seed=self.options.seed,
                on_progress=lambda objective, bound: self.clock.report("milp", i, objective, bound),
            )
        )

    def _cut(self, x: Array) -> bool:
        """Add rows where approximated nodes were off at `x`; False when there are none."""
        added = [rows for source in self.lowered.cuts if (rows := source(x)) is not None]
        for rows in added:
            self.model = self.model.with_rows(rows)
        self.statistics["cut_rounds"] = self.statistics.get("cut_rounds", 0.0) + 1.0
        return bool(added)

    def _refine(self, i: int) -> bool:
        """Lower again with more detail while that helps; the earlier tiers stay pinned."""
        if not self.lowered.coarse or self.detail >= MOST_DETAIL:
            return False
        self.detail += 1
        self.lowered = lower(self.graph, self.detail)
        self.model = self.lowered.model
        for earlier in range(i):
            self._pin(earlier)
        return True

    def _pin(self, i: int) -> float:
        """Hold tier `i` at its value, up to rounding relative to its own scale; returns the tolerance."""
        tier = self._tier(i)
        value = float(self.values[i])
        # a backend holds rows to about 1e-6, whatever the unit: state small objectives in a smaller unit
        largest = float(np.abs(tier.coefficient).max(initial=0.0))
        unit = max(1.0, 1.0 / largest) if largest > 0 else 1.0
        rounding = 1e-9 * abs(value)
        self.model = self.model.with_rows(
            Rows(
                tier.scaled(unit),
                np.array([-np.inf]),
                np.array([(value + rounding) * unit]),
                np.array([-1]),
            )
        )
        return rounding + 2e-6 / unit

    def _count(self, statistics: Mapping[str, float]) -> None:
        for name, value in statistics.items():
            self.statistics[name] = self.statistics.get(name, 0.0) + value
