"""Optional backends live in one process with highspy, whichever comes first; importing solvers is cheap."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


SOLVE = {
    "highspy": "import highspy; h = highspy.Highs(); h.setOptionValue('output_flag', False); h.run()",
    "ortools": (
        "from ortools.sat.python import cp_model; m = cp_model.CpModel(); x = m.new_int_var(0, 3, 'x'); "
        "m.maximize(x); s = cp_model.CpSolver(); s.solve(m); assert s.objective_value == 3"
    ),
    "pywraplp": (
        "from ortools.linear_solver import pywraplp; s = pywraplp.Solver.CreateSolver('HIGHS'); "
        "x = s.NumVar(0, 3, 'x'); s.Maximize(x); s.Solve(); assert x.solution_value() == 3"
    ),
}


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(SOLVE, 2)))
def test_both_work_in_either_order(first, second):
    done = run(SOLVE[first] + "\n" + SOLVE[second])
    assert done.returncode == 0, done.stderr


def test_importing_solvers_loads_no_solver_and_no_numpy():
    done = run("import sys, solvers\nprint([m for m in ('numpy', 'scipy', 'highspy') if m in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr


def test_choosing_highs_loads_no_other_backend():
    done = run(
        "import sys\nfrom solvers.milp.backends import backend\nbackend('highs')\n"
        "print([m for m in ('ortools', 'pulp') if m in sys.modules])"
    )
    assert done.stdout.strip() == "[]", done.stderr
