"""CP-SAT from OR-tools: whole numbers only, so everything is scaled exactly or refused by name."""

from __future__ import annotations

import math
import threading
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from models.errors import SolverFailed, Unsupported
from models.graph.cells import Array
from solvers.milp.backend import Backend, Outcome, Task, without_columns
from solvers.milp.grain import ONE
from solvers.milp.linear import Indices

__all__ = ["BACKEND", "CpSat"]

LARGEST = 2**50
"""Largest value a row's terms may add up to; CP-SAT itself stops at 2^63."""
DECIMALS = 9
"""Coefficients with more decimals are refused."""


class CpSat(Backend):
    """Constraint programming with clause learning by OR-tools."""

    name: ClassVar[str] = "cp-sat"

    def unavailable(self) -> str | None:
        return None if find_spec("ortools") else "CP-SAT needs the package ortools; install it with pip"

    def solve(self, task: Task) -> Outcome:
        from ortools.sat.python import cp_model

        if (nothing := without_columns(task)) is not None:
            return nothing
        model, unit = _model(task)
        cost, cost_scale = _whole(task.cost * unit, "the objective")
        x = [model.get_int_var_from_proto_index(j) for j in range(task.model.n_columns)]
        used = np.flatnonzero(cost)
        model.minimize(cp_model.LinearExpr.weighted_sum([x[j] for j in used], [int(c) for c in cost[used]]))
        if task.start is not None:
            for j, value in enumerate(
                np.rint(task.start / unit[: task.start.size]).astype(np.int64).tolist()
            ):
                model.add_hint(x[j], value)
        solver = cp_model.CpSolver()
        p = solver.parameters
        p.num_workers = task.threads
        p.random_seed = task.seed
        p.relative_gap_limit = task.gap
        p.log_search_progress = False
        if task.time_limit_s is not None:
            p.max_time_in_seconds = max(task.time_limit_s, 0.01)
        status, stopped = _run(solver, model, task, cost_scale)
        return _outcome(solver, status, task, unit, cost_scale, stopped=stopped)


def _run(solver: Any, model: Any, task: Task, cost_scale: float) -> tuple[Any, bool]:
    """Status, and whether the caller asked to stop; without a callback by the clock it gets a thread."""
    from ortools.sat.python import cp_model

    found: list[float] = []
    bounds: list[float] = []
    stopped = threading.Event()
    ended = threading.Event()

    class Watch(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
        def on_solution_callback(self) -> None:
            found.append(self.objective_value / cost_scale + task.offset)

    solver.best_bound_callback = lambda bound: bounds.append(bound / cost_scale + task.offset)
    status: list[Any] = []
    failure: list[Exception] = []

    def work() -> None:
        try:
            status.append(solver.solve(model, Watch()))
        except Exception as error:  # noqa: BLE001 - handed to the calling thread below
            failure.append(error)
        ended.set()

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    # progress is reported from the calling thread, as `SolveOptions` promises
    while not ended.wait(0.05):
        best, bound = (found[-1] if found else None), (bounds[-1] if bounds else None)
        if task.on_progress(best, bound) and not stopped.is_set():
            stopped.set()
            solver.stop_search()
    worker.join()
    if failure:
        raise SolverFailed(f"CP-SAT failed: {failure[0]}")
    if found:
        task.on_progress(found[-1], bounds[-1] if bounds else None)
    return status[0], stopped.is_set()


def _model(task: Task) -> tuple[Any, Array]:
    """The model in whole numbers, and what one of each column stands for: float64[n_columns]."""
    from ortools.sat.python import cp_model

    m = task.model
    unknown = np.flatnonzero((m.grain < 0) & (m.lower < m.upper))
    if unknown.size:
        owner = int(m.owner[unknown[0]])
        raise Unsupported(
            f"CP-SAT computes in whole numbers, but {unknown.size} columns (the first for node #{owner}) "
            "take values without a common measure of six decimals; round the weights, or use solver highs"
        )
    unit = np.where(m.grain > 0, m.grain / ONE, 1.0)
    fixed = (m.lower == m.upper) & (m.lower != 0)
    unit[fixed] = np.abs(m.lower[fixed])
    # inward: nothing between a bound and the next multiple of the grain is possible
    lower = np.ceil(m.lower / unit - 1e-6).astype(np.int64)
    upper = np.floor(m.upper / unit + 1e-6).astype(np.int64)
    model = cp_model.CpModel()
    x = [model.new_int_var(a, b, "") for a, b in zip(lower.tolist(), upper.tolist(), strict=True)]
    a = m.matrix
    coefficient = a.data * unit[a.indices]
    largest = np.maximum(np.abs(lower), np.abs(upper)).astype(np.float64)
    for i in range(m.n_rows):
        entries = slice(int(a.indptr[i]), int(a.indptr[i + 1]))
        whole, scale = _whole(coefficient[entries], f"row {i}")
        columns = a.indices[entries]
        if float(np.abs(whole) @ largest[columns]) > LARGEST:
            raise Unsupported(
                "CP-SAT cannot hold the numbers of this model; rescale the weights, or use highs"
            )
        low, high = (
            _bound(m.row_lower[i] * scale, math.ceil, -1),
            _bound(m.row_upper[i] * scale, math.floor, 1),
        )
        terms = cp_model.LinearExpr.weighted_sum([x[j] for j in columns], whole.tolist())
        model.add_linear_constraint(terms, low, high)
    return model, unit


def _bound(value: float, rounded: Any, sign: int) -> int:
    """A row's limit in whole numbers: nothing between it and the next whole number is possible."""
    if not math.isfinite(value):
        return sign * LARGEST * 4
    return int(rounded(value + sign * 1e-6 * max(1.0, abs(value) * 1e-6)))


def _whole(values: Array, where: str) -> tuple[Indices, float]:
    """`values` times a power of ten that makes all of them whole, divided by what they share."""
    for decimals in range(DECIMALS + 1):
        scale = 10.0**decimals
        scaled = values * scale
        whole = np.rint(scaled)
        if np.all(np.abs(scaled - whole) <= 1e-9 * np.maximum(1.0, np.abs(scaled))):
            if np.abs(whole).max(initial=0.0) > LARGEST:
                break
            out = whole.astype(np.int64)
            shared = int(np.gcd.reduce(out)) if out.size else 1
            return out // max(shared, 1), scale / max(shared, 1)
    raise Unsupported(
        f"CP-SAT computes in whole numbers, but the coefficients of {where} have more than {DECIMALS} "
        "decimals; round the weights, or use solver highs"
    )


def _outcome(
    solver: Any, status: Any, task: Task, unit: Array, cost_scale: float, *, stopped: bool
) -> Outcome:
    from ortools.sat.python import cp_model

    if status == cp_model.MODEL_INVALID:
        raise SolverFailed("CP-SAT calls the model invalid")
    solved = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    bound = float(solver.best_objective_bound) / cost_scale + task.offset
    return Outcome(
        x=np.array(solver.response_proto.solution, np.float64) * unit if solved else None,
        bound=bound if status != cp_model.INFEASIBLE and math.isfinite(bound) else None,
        infeasible=status == cp_model.INFEASIBLE,
        finished=status == cp_model.OPTIMAL and not stopped,
        statistics={"nodes": float(solver.num_branches), "conflicts": float(solver.num_conflicts)},
    )


BACKEND = CpSat()
