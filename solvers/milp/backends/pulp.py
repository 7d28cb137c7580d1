"""Whatever PuLP can drive: CBC, which ships with it, and Gurobi, CPLEX, Xpress, SCIP … where installed.

The solver runs in a process of its own: PuLP cannot be interrupted, a process can.
"""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from models.errors import SolverFailed, UnknownName
from models.graph.cells import Array
from solvers.milp.backend import Backend, Outcome, Task, without_columns

__all__ = ["BACKEND", "Pulp", "work"]

CBC = "PULP_CBC_CMD"
START_S = 0.3
"""What starting the worker takes, roughly; the solver gets that much less."""
GRACE_S = 0.7
"""How long after the time limit a solver may still hand over what it has."""


class Pulp(Backend):
    """A solver driven by PuLP; without a variant it is CBC.

    PuLP tells whether the optimum was proven, but no bound before that.
    """

    name: ClassVar[str] = "pulp"

    def __init__(self, solver: str = CBC) -> None:
        self._solver = solver

    def unavailable(self) -> str | None:
        if not find_spec("pulp"):
            return "this solver needs the package pulp; install it with pip"
        import pulp

        with warnings.catch_warnings():
            # announces PuLP 4, where CBC will be a package of its own
            warnings.simplefilter("ignore", DeprecationWarning)
            there = pulp.getSolver(self._solver, msg=False).available()
        if not there:
            return f"PuLP finds no installation of {self._solver}; install that solver or choose another"
        return None

    def variant(self, name: str) -> Backend:
        import pulp

        known = pulp.listSolvers()
        if name not in known:
            raise UnknownName("solver of PuLP", name, known)
        return Pulp(name)

    def solve(self, task: Task) -> Outcome:
        if (nothing := without_columns(task)) is not None:
            return nothing
        limit = task.time_limit_s
        question = pickle.dumps((self._solver, _arrays(task), limit, task.gap / 2, task.threads, task.seed))
        started = time.monotonic()
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-c", f"from {__name__} import work; work()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,  # so that the solver's own process can be ended with it
        )
        answer: list[bytes] = []
        reader = threading.Thread(target=lambda: answer.append(process.communicate(question)[0]), daemon=True)
        reader.start()
        while reader.is_alive():
            reader.join(0.05)
            late = limit is not None and time.monotonic() - started > limit + GRACE_S
            # at the time limit itself the solver is about to answer; a caller who cancels does not wait
            cancelled = task.on_progress(None, None) and (limit is None or time.monotonic() - started < limit)
            if late or cancelled:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                reader.join()
                return Outcome(x=None, bound=None, infeasible=False, finished=False)
        if process.returncode != 0 or not answer[0]:
            raise SolverFailed(f"{self._solver} ended with exit code {process.returncode}")
        return _outcome(self._solver, pickle.loads(answer[0]), task)  # noqa: S301 - written by our own worker


def _arrays(task: Task) -> dict[str, Any]:
    """The task as plain arrays that travel to another process."""
    m = task.model
    return {
        "lower": m.lower,
        "upper": m.upper,
        "integer": m.integer,
        "indptr": m.matrix.indptr,
        "indices": m.matrix.indices,
        "data": m.matrix.data,
        "row_lower": m.row_lower,
        "row_upper": m.row_upper,
        "cost": task.cost,
    }


def work() -> None:
    """The worker process: read a question from standard input, solve, write the answer to standard output."""
    import pulp

    started = time.monotonic()
    solver, a, limit, gap, threads, seed = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever a solver prints must not mix with the answer
    answer: Any
    try:
        problem, x = _problem(a)
        asked: dict[str, Any] = {"msg": False, "gapRel": gap}
        if limit is not None:
            asked["timeLimit"] = max(limit - START_S - (time.monotonic() - started), 0.1)
        if solver == CBC:
            asked |= {"threads": threads, "options": [f"randomSeed {seed}", f"randomCbcSeed {seed}"]}
        problem.solve(pulp.getSolver(solver, **asked))
        values = np.array([v.varValue if v.varValue is not None else math.nan for v in x])
        answer = problem.status, problem.sol_status, values
    except Exception as error:  # noqa: BLE001 - the other process reports it
        answer = f"{type(error).__name__}: {error}"
    pickle.dump(answer, out)
    out.close()


def _problem(a: dict[str, Any]) -> tuple[Any, list[Any]]:
    import pulp

    kinds = {True: "Integer", False: "Continuous"}
    x = [
        pulp.LpVariable(f"x{j}", low, high, kinds[whole])
        for j, (low, high, whole) in enumerate(
            zip(a["lower"].tolist(), a["upper"].tolist(), a["integer"].tolist(), strict=True)
        )
    ]
    problem = pulp.LpProblem("model", pulp.LpMinimize)
    used = np.flatnonzero(a["cost"])
    problem += pulp.LpAffineExpression([(x[j], float(a["cost"][j])) for j in used])
    data, indices, indptr = a["data"].tolist(), a["indices"].tolist(), a["indptr"].tolist()
    for i, (low, high) in enumerate(zip(a["row_lower"].tolist(), a["row_upper"].tolist(), strict=True)):
        entries = range(indptr[i], indptr[i + 1])
        terms = pulp.LpAffineExpression([(x[indices[e]], data[e]) for e in entries])
        if not entries:
            if low > 1e-9 or high < -1e-9:
                # PuLP drops rows without columns, also those that cannot hold
                problem += pulp.LpAffineExpression([(pulp.LpVariable(f"never{i}", 0, 0), 1.0)]) >= 1
        elif low == high:
            problem += terms == low
        else:
            if math.isfinite(high):
                problem += terms <= high
            if math.isfinite(low):
                problem += terms >= low
    return problem, x


def _outcome(solver: str, answer: Any, task: Task) -> Outcome:
    if isinstance(answer, str):
        raise SolverFailed(f"{solver} failed: {answer}")
    status, solution_status, values = answer
    # PuLP: status 1 solved, -1 infeasible, -2 unbounded, 0 not solved; solution 1 optimal, 2 only feasible
    if status == -1:
        return Outcome(x=None, bound=None, infeasible=True, finished=True)
    if status == -2:
        raise SolverFailed(f"{solver} calls a model unbounded all of whose columns have bounds")
    found = solution_status in (1, 2)
    x: Array | None = None
    if found:
        x = np.where(np.isnan(values), np.clip(0.0, task.model.lower, task.model.upper), values)
    proven = status == 1 and solution_status == 1
    bound = None
    if proven and x is not None:
        objective = float(task.cost @ x) + task.offset
        bound = objective - task.gap / 2 * abs(objective)
    return Outcome(x=x, bound=bound, infeasible=False, finished=proven)


BACKEND = Pulp()
