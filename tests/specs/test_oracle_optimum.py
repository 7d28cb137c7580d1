"""For every spec, as a goal on tiny random problems: the exact solver's optimum is that of brute force."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest

from models.errors import FulcrumError, Unsupported
from solvers import SolveOptions, solve
from specs import Goal, compile_problem
from specs.registry import kinds, spec_class


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_the_optimum_is_that_of_brute_force(kind, random_specs):
    compared = 0
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
            result = solve(graph, SolveOptions(time_limit_s=20, solver="highs"))
        except Unsupported:
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
        if compared == 2:
            return
    assert compared, "nothing could be compared"
