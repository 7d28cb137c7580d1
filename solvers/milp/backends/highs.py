"""HiGHS through highspy: the default."""

from __future__ import annotations

import math
import threading
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from models.errors import SolverFailed
from models.graph.cells import Array
from solvers.milp.backend import Backend, Outcome, Task

__all__ = ["BACKEND", "Highs", "pass_model", "quiet"]

_scheduler = threading.Lock()
_active = 0
_threads = 0


class Highs(Backend):
    """Branch and cut by HiGHS."""

    name: ClassVar[str] = "highs"

    def unavailable(self) -> str | None:
        return None if find_spec("highspy") else "HiGHS needs the package highspy; install it with pip"

    def solve(self, task: Task) -> Outcome:
        import highspy

        h = quiet()
        scale = _scale(task.cost)
        pass_model(h, task, scale)
        for name, value in {
            "random_seed": task.seed,
            "mip_rel_gap": task.gap,
            "mip_abs_gap": 1e-9,
            "parallel": "on" if task.threads > 1 else "off",
            "presolve": "off" if _presolve_is_wrong(task) else "on",
            "threads": _reserve(task.threads),
        }.items():
            _checked(h.setOptionValue(name, value), f"the option {name}")
        if task.time_limit_s is not None:
            h.setOptionValue("time_limit", max(task.time_limit_s, 0.01))
        if task.start is not None:
            index = np.arange(task.start.size, dtype=np.int32)
            h.setSolution(index.size, index, np.asarray(task.start, np.float64))
        stopped = _listen(h, task, scale)
        try:
            status = h.run()
        finally:
            _release()
        if status == highspy.HighsStatus.kError:
            raise SolverFailed(f"HiGHS failed with model status {h.modelStatusToString(h.getModelStatus())}")
        return _outcome(h, task, scale, stopped=bool(stopped))


def _presolve_is_wrong(task: Task) -> bool:
    """Whether this release's presolve may cut off the optimum of this model.

    HiGHS 1.14.0 miscounts rows that mix integer and continuous columns when it "stuffs" singleton columns,
    and calls worse solutions optimal (its issues 2957, 3043, 3073); 1.13.1 and 1.15.0 do not.
    """
    import highspy

    version = highspy.HIGHS_VERSION_MAJOR, highspy.HIGHS_VERSION_MINOR, highspy.HIGHS_VERSION_PATCH
    return version == (1, 14, 0) and bool(task.model.integer.any() and not task.model.integer.all())


def quiet() -> Any:
    """A Highs object that prints nothing."""
    import highspy

    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    return h


def _checked(status: Any, what: str) -> None:
    import highspy

    if status == highspy.HighsStatus.kError:
        raise SolverFailed(f"HiGHS refused {what}")


def _scale(cost: Array) -> float:
    """A power of two that brings the largest cost near 100, the scale of HiGHS' absolute tolerances."""
    largest = float(np.abs(cost).max(initial=0.0))
    return 1.0 if largest == 0 else 2.0 ** round(math.log2(100.0 / largest))


def pass_model(h: Any, task: Task, scale: float = 1.0, *, relaxed: bool = False) -> None:
    """Hand the whole model over in one call; `relaxed`: without integrality."""
    import highspy

    m = task.model
    a = m.matrix
    integrality = np.zeros(m.n_columns, np.int32) if relaxed else m.integer.astype(np.int32)
    status = h.passModel(
        m.n_columns,
        m.n_rows,
        a.nnz,
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        task.offset * scale,
        task.cost * scale,
        m.lower,
        m.upper,
        np.maximum(m.row_lower, -highspy.kHighsInf),
        np.minimum(m.row_upper, highspy.kHighsInf),
        a.indptr.astype(np.int32),
        a.indices.astype(np.int32),
        a.data,
        integrality,
    )
    _checked(status, f"the model ({m.n_columns} columns, {m.n_rows} rows)")


def _listen(h: Any, task: Task, scale: float) -> list[bool]:
    """Subscribe to HiGHS' callbacks; the list is non-empty once the caller asked to stop."""
    stopped: list[bool] = []

    def report(event: Any) -> None:
        out = event.data_out
        best, bound = float(out.mip_primal_bound), float(out.mip_dual_bound)
        known = best / scale if abs(best) < 1e29 else None
        if stopped or task.on_progress(known, bound / scale if abs(bound) < 1e29 else None):
            stopped.append(True)
            event.interrupt()

    def poll(event: Any) -> None:
        if stopped or task.on_progress(None, None):
            stopped.append(True)
            event.interrupt()

    h.cbMipInterrupt.subscribe(report)
    h.cbMipImprovingSolution.subscribe(report)
    h.cbSimplexInterrupt.subscribe(poll)
    h.cbIpmInterrupt.subscribe(poll)
    return stopped


def _outcome(h: Any, task: Task, scale: float, *, stopped: bool) -> Outcome:
    import highspy

    s = highspy.HighsModelStatus
    status, info = h.getModelStatus(), h.getInfo()
    has_solution = info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    bound = float(info.mip_dual_bound) / scale if task.model.integer.any() else None
    if status == s.kOptimal and bound is None:
        bound = float(info.objective_function_value) / scale
    if bound is not None and not abs(bound) < 1e29:
        bound = None
    # every column is bounded, so "unbounded or infeasible" can only mean infeasible
    infeasible = status in (s.kInfeasible, s.kUnboundedOrInfeasible)
    if status not in (s.kOptimal, s.kInfeasible, s.kUnboundedOrInfeasible, s.kTimeLimit, s.kInterrupt) and (
        status not in (s.kHighsInterrupt, s.kModelEmpty)
    ):
        raise SolverFailed(f"HiGHS ended with model status {h.modelStatusToString(status)}")
    if status == s.kModelEmpty:
        return Outcome(x=np.empty(0), bound=task.offset, infeasible=False, finished=True)
    return Outcome(
        x=np.array(h.getSolution().col_value) if has_solution and not infeasible else None,
        bound=None if infeasible else bound,
        infeasible=infeasible,
        finished=status == s.kOptimal and not stopped,
        statistics={
            "nodes": float(max(info.mip_node_count, 0)),
            "simplex_iterations": float(max(info.simplex_iteration_count, 0)),
        },
    )


def _reserve(threads: int) -> int:
    """Number of threads to ask for; HiGHS has one scheduler for the process and refuses another size."""
    global _active, _threads  # noqa: PLW0603 - mirrors HiGHS' own global
    import highspy

    with _scheduler:
        if _threads not in (0, threads) and _active == 0:
            highspy.Highs.resetGlobalScheduler(True)
            _threads = 0
        _threads = _threads or threads
        _active += 1
        return _threads


def _release() -> None:
    global _active  # noqa: PLW0603
    with _scheduler:
        _active -= 1


BACKEND = Highs()
