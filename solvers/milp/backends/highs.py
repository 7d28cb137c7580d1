"""HiGHS through highspy: the default."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from models.errors import SolverFailed
from models.graph.cells import Array
from solvers.milp.backend import Backend, Outcome, Task, without_columns

__all__ = ["BACKEND", "Heard", "Highs", "listen", "pass_model", "quiet", "reserve", "run_in_time"]

GRACE_S = 0.5
"""How long after the time limit HiGHS may still end by itself."""

COMPLETION_SHARE = 0.3
"""Largest share of the time limit for completing a start."""

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

        if (nothing := without_columns(task)) is not None:
            return nothing
        h = quiet()
        scale = _scale(task.cost)
        pass_model(h, task, scale)
        for name, value in {
            "random_seed": task.seed,
            "mip_rel_gap": task.gap,
            "mip_abs_gap": max(1e-9, task.absolute_gap * scale),
            "parallel": "on" if task.threads > 1 else "off",
            "presolve": "off" if _presolve_is_wrong(task) else "on",
            "threads": reserve(task.threads),
        }.items():
            _checked(h.setOptionValue(name, value), f"the option {name}")
        if task.time_limit_s is not None:
            h.setOptionValue("time_limit", max(task.time_limit_s, 0.01))
        if task.node_limit is not None:
            _checked(h.setOptionValue("mip_max_nodes", task.node_limit), "the option mip_max_nodes")
        whole = None if task.start is None else _completed(task, task.start)
        if whole is not None:
            index = np.arange(whole.size, dtype=np.int32)
            h.setSolution(index.size, index, whole)
        heard = Heard()
        listen(h, task, scale, heard)
        status = run_in_time(h, task.time_limit_s, heard)
        if status is None:
            return Outcome(x=heard.x, bound=heard.bound, infeasible=False, finished=False)
        if status == highspy.HighsStatus.kError:
            raise SolverFailed(f"HiGHS failed with model status {h.modelStatusToString(h.getModelStatus())}")
        return _outcome(h, task, scale, stopped=heard.stopped)


def _completed(task: Task, start: Array) -> Array | None:
    """float64[n_columns]: the best solution whose first columns are `start`; None when not found in time.

    HiGHS would complete a partial solution by itself, but reports the bound of that smaller problem to the
    callbacks as if it were that of the whole.
    """
    import highspy

    lower, upper = task.model.lower.copy(), task.model.upper.copy()
    lower[: start.size] = upper[: start.size] = start
    fixed = replace(task, model=replace(task.model, lower=lower, upper=upper))
    limit = None if task.time_limit_s is None else COMPLETION_SHARE * task.time_limit_s
    h = quiet()
    pass_model(h, fixed, _scale(task.cost))
    h.setOptionValue("threads", reserve(task.threads))
    if limit is not None:
        h.setOptionValue("time_limit", max(limit, 0.01))
    heard = Heard()
    listen(h, replace(fixed, on_progress=lambda *_: task.on_progress(None, None)), 1.0, heard)
    if run_in_time(h, limit, heard) is None or heard.stopped:
        return None
    found = h.getInfo().primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    return np.array(h.getSolution().col_value) if found else None


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
    """A power of two that brings costs to the scale of HiGHS' absolute tolerances of about 1e-6.

    The largest near 100, but none below 1 that was not: a unit that is 1e-6 after scaling would be lost in
    the tolerances, and worse solutions be called optimal.
    """
    used = np.abs(cost[cost != 0])
    if not used.size:
        return 1.0
    wanted = max(100.0 / float(used.max()), min(1.0, 1.0 / float(used.min())))
    return 2.0 ** round(math.log2(wanted))


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


@dataclass(slots=True)
class Heard:
    """What the callbacks saw last: the best solution, the bound, and whether to stop."""

    x: Array | None = None
    bound: float | None = None
    stopped: bool = False


def listen(h: Any, task: Task, scale: float, heard: Heard) -> None:
    """Subscribe to HiGHS' callbacks: progress, improvements and the wish to stop."""

    def report(event: Any) -> None:
        out = event.data_out
        best, bound = float(out.mip_primal_bound), float(out.mip_dual_bound)
        known = best / scale if abs(best) < 1e29 else None
        heard.bound = bound / scale if abs(bound) < 1e29 else None
        if heard.stopped or task.on_progress(known, heard.bound):
            heard.stopped = True
            event.interrupt()

    def improved(event: Any) -> None:
        heard.x = np.array(event.data_out.mip_solution)
        report(event)

    def poll(event: Any) -> None:
        if heard.stopped or task.on_progress(None, None):
            heard.stopped = True
            event.interrupt()

    h.cbMipInterrupt.subscribe(report)
    h.cbMipImprovingSolution.subscribe(improved)
    h.cbSimplexInterrupt.subscribe(poll)
    h.cbIpmInterrupt.subscribe(poll)


def run_in_time(h: Any, time_limit_s: float | None, heard: Heard) -> Any:
    """Run in a thread; its status, or None when HiGHS is still busy well after the time limit.

    Some of its phases look at neither the clock nor callbacks for many seconds. It is then left to end by
    itself (it is told to stop), and what it had found so far counts.
    """
    ended: list[Any] = []
    failed: list[Exception] = []

    def work() -> None:
        try:
            ended.append(h.run())
        except Exception as error:  # noqa: BLE001 - raised again in the calling thread
            failed.append(error)
        finally:
            _release()

    # not a daemon: Python must not shut down under a callback
    worker = threading.Thread(target=work)
    worker.start()
    try:
        worker.join(None if time_limit_s is None else time_limit_s + GRACE_S)
    except BaseException:
        heard.stopped = True  # the caller is interrupted: let HiGHS end too
        raise
    if worker.is_alive():
        heard.stopped = True
        return None
    if failed:
        raise failed[0]
    return ended[0]


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
        status not in (s.kHighsInterrupt, s.kModelEmpty, s.kSolutionLimit)
    ):
        raise SolverFailed(f"HiGHS ended with model status {h.modelStatusToString(status)}")
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


def reserve(threads: int) -> int:
    """Number of threads to ask for, once before each `run_in_time`.

    HiGHS has one scheduler for the process and refuses another size while it is in use.
    """
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
