"""For every spec, as a goal on tiny random problems: each exact solver's optimum is that of brute force.

By default HiGHS twice and CP-SAT once for every spec, and CBC, which starts a process for each solve, for
every sixth one; ``FULCRUM_ORACLE_EXAMPLES=N`` asks for N comparisons of every spec with every solver.
"""

from __future__ import annotations

import itertools
import os
import random
from dataclasses import replace

import numpy as np
import pytest

from models.errors import FulcrumError, Unsupported
from solvers import SolveOptions, solve
from specs import Goal, compile_problem
from specs.registry import kinds, spec_class

KINDS = sorted(kinds())
MORE = int(os.environ.get("FULCRUM_ORACLE_EXAMPLES", "0"))
CASES = [
    *((kind, "highs", MORE or 2) for kind in KINDS),
    *((kind, "cp-sat", MORE or 1) for kind in KINDS),
    *((kind, "cbc", MORE or 1) for kind in (KINDS if MORE else KINDS[::6])),
]


@pytest.mark.parametrize(("kind", "solver", "wanted"), CASES)
def test_the_optimum_is_that_of_brute_force(kind, solver, wanted, random_specs):
    compared = refused = 0
    for seed in range(1000):
        rng = random.Random(seed)
        problem = random_specs.random_problem(rng)
        n, m = problem.objects.size, problem.containers.size
        if not 1 < (m + 1) ** n <= 300:
            continue
        spec = random_specs.random_spec(rng, spec_class(kind), problem)
        if spec is None:
            continue
        try:
            graph = compile_problem(replace(problem, goals=[Goal(spec, 2.0)]))
            result = solve(graph, SolveOptions(time_limit_s=60, solver=solver))
        except Unsupported:
            refused += 1
            if refused > 20:
                break
            continue
        except FulcrumError as error:
            if error.exit_code != 1:
                raise
            continue
        every = (np.array(a, np.int32) for a in itertools.product(range(-1, m), repeat=n))
        best = 2.0 * min(spec.check(problem, a) for a in every)

        assert result.status == "optimal", (seed, spec)
        assert result.tiers[0].value == pytest.approx(best, rel=1e-5, abs=1e-5), (seed, spec)
        compared += 1
        if compared == wanted:
            return
    if solver == "cp-sat" and refused and not compared:
        pytest.skip("CP-SAT refuses this spec by name: its amounts are no whole numbers of one unit")
    assert compared, "nothing could be compared"
