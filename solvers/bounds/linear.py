"""The linear relaxation of a model: its optimum and the prices of its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.graph.cells import Array
from solvers.milp.backend import Task
from solvers.milp.backends.highs import Heard, listen, pass_model, quiet, reserve, run_in_time
from solvers.milp.model import MilpModel

__all__ = ["Relaxed", "solve_relaxed"]


@dataclass(frozen=True, eq=False, slots=True)
class Relaxed:
    """Optimum of the relaxation.

    ``x``: float64[n_columns]; ``row_price``: float64[n_rows], change of the optimum for one more unit on the
    right-hand side of each row.
    """

    objective: float
    x: Array
    row_price: Array


def solve_relaxed(
    model: MilpModel,
    cost: Array,
    offset: float,
    time_limit_s: float | None,
    threads: int = 1,
    stopped: Callable[[], bool] = lambda: False,
) -> Relaxed | None:
    """Minimise without integrality; None when infeasible, not finished in time, or `stopped`."""
    import highspy

    h = quiet()
    task = Task(
        model=model,
        cost=cost,
        offset=offset,
        start=None,
        time_limit_s=time_limit_s,
        gap=0.0,
        threads=threads,
        seed=0,
        on_progress=lambda *_: stopped(),
    )
    pass_model(h, task, relaxed=True)
    if time_limit_s is not None:
        h.setOptionValue("time_limit", max(time_limit_s, 0.01))
    h.setOptionValue("threads", reserve(threads))
    heard = Heard()
    listen(h, task, 1.0, heard)
    if run_in_time(h, time_limit_s, heard) is None:
        return None
    if h.getModelStatus() not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty):
        return None
    solution = h.getSolution()
    return Relaxed(
        float(h.getInfo().objective_function_value) if model.n_columns else offset,
        np.array(solution.col_value),
        np.array(solution.row_dual),
    )
