"""Exact solving: lower the graph, minimise its tiers one after another, decode, judge."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from models.graph import Graph, evaluate
from models.graph.cells import Array
from models.graph.space import Ints
from solvers.clock import Clock
from solvers.judge import judged
from solvers.milp.backend import Backend, Outcome, Task
from solvers.milp.components import find_parts, solve_parts
from solvers.milp.focus import Core, Focus
from solvers.milp.linear import Linear
from solvers.milp.lowering import Interrupted, Lowered, lower
from solvers.milp.model import MilpModel, Rows
from solvers.options import SolveOptions
from solvers.result import Result, Timings, relative_gap
from solvers.steps import lifted_bound, tier_step

__all__ = ["solve_milp"]

LEAST_TO_PART = 500
"""Columns from which on a model is looked at for independent parts."""
CORE_SHARE = 0.6
"""Share of the time left for a core that does not hold all that is possible."""
MOST_DETAIL = 3
"""How often a coarse approximation is made four times finer."""


def solve_milp(graph: Graph, options: SolveOptions, backend: Backend, clock: Clock | None = None) -> Result:
    """Solve `graph` exactly with one backend; see `solvers.solve`. `clock`: one that runs already."""
    clock = clock or Clock(options)
    begun_s = clock.elapsed_s
    clock.report("build", 0, None, None)
    run = _Run(graph, options, backend, clock)
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
            build_s=run.built_s,
            solve_s=clock.elapsed_s - begun_s - run.built_s,
            total_s=clock.elapsed_s,
        ),
        trajectory=clock.trajectory,
        statistics=run.statistics,
    )


def _countdown(limit_s: float | None) -> Callable[[], float | None]:
    """Seconds that are left of `limit_s`, from now on."""
    end = None if limit_s is None else time.monotonic() + limit_s
    return lambda: None if end is None else max(end - time.monotonic(), 0.0)


class _Run:
    """The lexicographic minimisation of one graph."""

    def __init__(self, graph: Graph, options: SolveOptions, backend: Backend, clock: Clock) -> None:
        self.graph = graph
        self.options = options
        self.backend = backend
        self.clock = clock
        self.focus = Focus(graph, clock)
        self.mask: npt.NDArray[np.bool_] | None = None
        self.lowered: Lowered | None = None
        self.model: MilpModel | None = None
        self.built_s = 0.0
        self.incumbent: Ints | None = None
        self.values: Array = np.empty(0)
        self.detail = 0
        self.settled = 0
        self.bounds: list[float | None] = []
        self.infeasible = False
        self.statistics: dict[str, float] = {"objects": float(graph.space.n_objects)}
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
            if i < self.settled:
                if new > old + self._tolerance(i):
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
                self.focus.end(float(self.values[i]))
                self.settled = i + 1
                if self.model is not None:
                    self._pin(i)

    def _tier(self, i: int) -> Linear:
        """The expression of tier `i`; 0 where the graph has no tiers."""
        assert self.lowered is not None
        return self.lowered.tiers.taken(np.array([i])) if self.graph.tiers else Linear.constants(np.zeros(1))

    def _minimise(self, i: int) -> tuple[float | None, bool]:
        """Bound of tier `i` and whether it is proven."""
        bound = -np.inf
        if self.incumbent is not None and self.graph.tiers:
            bound = lifted_bound(self.focus.begin(i, self.incumbent, self.values), self._step(i))
            if self._proven(i, bound):
                return bound, True
        for level in itertools.count():
            core = None if bound == -np.inf else self.focus.core(level, float(self.values[i]), self._step(i))
            if core is not None and np.isfinite(core.beyond) and self.clock.remaining_s is None:
                continue  # a core that proves nothing would need a time limit of its own
            if not self._state(i, core):
                break
            found = self._solve_core(i, core)
            if found is None or self.infeasible:
                return found, False
            bound = max(bound, found if core is None else min(found, core.beyond))
            if self.incumbent is not None and self._proven(i, bound):
                return bound, True
            if core is None or core.beyond == np.inf or self.clock.stopped:
                break
        return (bound if np.isfinite(bound) else None), False

    def _state(self, i: int, core: Core | None) -> bool:
        """Make the model of `core` for tier `i`, unless it is the one there is; False when time is over."""
        mask = self.focus.allowed if core is None else core.allowed
        partial = core is not None and np.isfinite(core.beyond)
        if mask is not None and self.incumbent is not None and not partial:
            mask = self.focus.with_assignment(mask, self.incumbent)
        known = self.lowered is not None and (
            self.mask is None if mask is None else self.mask is not None and np.array_equal(mask, self.mask)
        )
        if known:
            return True
        self.mask = mask
        return self._lower(i)

    def _lower(self, i: int) -> bool:
        """State the graph with the columns of the mask; the tiers before `i` stay pinned."""
        begun_s = self.clock.elapsed_s
        try:
            lowered = lower(self.graph, self.detail, allowed=self.mask, stopped=lambda: self.clock.stopped)
        except Interrupted:
            return False
        finally:
            self.built_s += self.clock.elapsed_s - begun_s
        self.lowered, self.model = lowered, lowered.model
        for earlier in range(i):
            self._pin(earlier)
        self.statistics |= {
            "object_classes": float(lowered.decision.classes.n),
            "columns": float(self.model.n_columns),
            "integer_columns": float(self.model.integer.sum()),
            "rows": float(self.model.n_rows),
            "nonzeros": float(self.model.matrix.nnz),
        }
        return True

    def _solve_core(self, i: int, core: Core | None) -> float | None:
        """Minimise tier `i` over the model there is; its bound, None when infeasible."""
        assert self.lowered is not None
        low, _ = self.lowered.range(self._tier(i))
        bound = float(low[0])
        while True:
            if self.incumbent is not None and self._proven(i, bound):
                return bound
            outcome = self._solve(i, self._tier(i), core)
            self._count(outcome.statistics)
            if outcome.infeasible and core is not None:
                return np.inf  # nothing in it is as good as the incumbent
            if outcome.infeasible:
                self.infeasible = i == 0 and self.incumbent is None
                return None
            if outcome.bound is not None:
                bound = max(bound, lifted_bound(outcome.bound, self._step(i)))
            if outcome.x is not None:
                self.offer(self.lowered.decode(outcome.x))
            if self.incumbent is not None and self._proven(i, bound):
                return bound
            if not outcome.finished or self.clock.stopped or outcome.x is None:
                return bound
            if not self._cut(outcome.x) and not self._refine(i):
                return bound

    def _proven(self, i: int, bound: float) -> bool:
        if i >= self.values.size:
            return True
        value = float(self.values[i])
        gap = relative_gap(value, bound)
        return value - bound <= self.resolution(i) or (gap is not None and gap <= self.options.gap)

    def resolution(self, i: int) -> float:
        """Difference in tier `i` that is rounding: backends are exact to about this part of a unit's cost."""
        if self.lowered is None:
            return 1e-9
        rounding = 1e-7 * max(float(np.abs(self._tier(i).coefficient).max(initial=0.0)), 0.1)
        # whole steps are never rounding, however dear single columns are
        return min(rounding, 1e-3 * self._step(i)) if self._step(i) > 0 else rounding

    def _step(self, i: int) -> float:
        return tier_step(self.graph.tiers[i]) if self.graph.tiers else 0.0

    def _solve(self, i: int, tier: Linear, core: Core | None) -> Outcome:
        assert self.model is not None
        assert self.lowered is not None
        beyond = np.inf if core is None else core.beyond
        left = self.clock.remaining_s
        cost = np.zeros(self.model.n_columns)
        cost[tier.column] = tier.coefficient
        task = Task(
            model=self.model,
            cost=cost,
            offset=float(tier.constant[0]),
            start=self._encoded(),
            time_limit_s=left if left is None or beyond == np.inf else CORE_SHARE * left,
            gap=self.options.gap,
            absolute_gap=max(1e-9, 0.9 * self._step(i)),  # the rest of a step is proven by rounding up
            threads=self.options.threads,
            seed=self.options.seed,
            on_progress=lambda objective, bound: (
                self.clock.report("milp", i, objective, bound if beyond == np.inf else None)
                or (bound is not None and bound >= beyond)
            ),
        )
        parts = find_parts(self.model) if self.model.n_columns >= LEAST_TO_PART else None
        if parts is None:
            return self.backend.solve(task)
        known = self.incumbent is not None and i < self.values.size
        cutoff = float(self.values[i]) if known else np.inf
        left_s = _countdown(task.time_limit_s)
        goal = min(cutoff, beyond)
        outcome = solve_parts(self.backend.solve, task, parts, goal, left_s)
        reached = outcome.bound is not None and outcome.bound >= goal - task.absolute_gap
        if outcome.finished or outcome.infeasible or reached or self.clock.stopped or left_s() == 0:
            return outcome
        if outcome.x is not None:
            self.offer(self.lowered.decode(outcome.x))
        again = self.backend.solve(replace(task, start=self._encoded(), time_limit_s=left_s()))
        bounds = [b for b in (outcome.bound, again.bound) if b is not None]
        return replace(again, bound=max(bounds, default=None))

    def _encoded(self) -> Array | None:
        assert self.lowered is not None
        return None if self.incumbent is None else self.lowered.encode(self.incumbent)

    def _cut(self, x: Array) -> bool:
        """Add rows where approximated nodes were off at `x`; False when there are none."""
        assert self.model is not None
        assert self.lowered is not None
        added = [rows for source in self.lowered.cuts if (rows := source(x)) is not None]
        for rows in added:
            self.model = self.model.with_rows(rows)
        self.statistics["cut_rounds"] = self.statistics.get("cut_rounds", 0.0) + 1.0
        return bool(added)

    def _refine(self, i: int) -> bool:
        """Lower again with more detail while that helps."""
        assert self.lowered is not None
        if not self.lowered.coarse or self.detail >= MOST_DETAIL:
            return False
        self.detail += 1
        return self._lower(i)

    def _pin(self, i: int) -> None:
        """Hold tier `i` at its value, up to rounding relative to its own scale."""
        assert self.model is not None
        tier = self._tier(i)
        value, unit = float(self.values[i]), self._unit(i)
        self.model = self.model.with_rows(
            Rows(
                tier.scaled(unit),
                np.array([-np.inf]),
                np.array([(value + 1e-9 * abs(value)) * unit]),
                np.array([-1]),
            )
        )

    def _unit(self, i: int) -> float:
        """A backend holds rows to about 1e-6, whatever the unit: small objectives need a smaller unit."""
        if self.lowered is None:
            return 1.0
        largest = float(np.abs(self._tier(i).coefficient).max(initial=0.0))
        return max(1.0, 1.0 / largest) if largest > 0 else 1.0

    def _tolerance(self, i: int) -> float:
        """How much worse tier `i` may become for the sake of later ones: what rounding amounts to."""
        return 1e-9 * abs(float(self.values[i])) + (0.0 if self.lowered is None else 2e-6 / self._unit(i))

    def _count(self, statistics: Mapping[str, float]) -> None:
        for name, value in statistics.items():
            self.statistics[name] = self.statistics.get(name, 0.0) + value
