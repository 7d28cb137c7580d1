"""`specs.document.write`: every problem can be written, and reads back as the same problem."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from models.errors import FulcrumError
from models.graph import evaluate
from specs import Goal, MoveCost, compile_problem, soft
from specs.document import problem_document, read_problem
from specs.policy import Constraint
from specs.registry import kinds, spec_class
from specs.spec import LimitSpec


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_written_problems_read_back_with_the_same_value(kind, random_specs):
    compared = 0
    for seed in range(12):
        rng = random.Random(seed)
        problem = random_specs.random_problem(rng)
        spec = random_specs.random_spec(rng, spec_class(kind), problem)
        if spec is None:
            continue
        limits = [Constraint(spec, soft(2.0))] if isinstance(spec, LimitSpec) else []
        problem = replace(problem, constraints=limits, goals=[[Goal(spec, 3.0, "it")]])
        assignment = random_specs.random_assignment(rng, problem)
        text = json.dumps(problem_document(problem))
        document = read_problem(text)
        try:
            before = evaluate(compile_problem(problem), assignment)
        except FulcrumError:
            with pytest.raises(FulcrumError):
                document.compile()
            continue
        after = evaluate(document.compile(), assignment)
        assert after.tiers == pytest.approx(before.tiers)
        assert [c.violation for c in after.constraints] == pytest.approx(
            [c.violation for c in before.constraints]
        )
        compared += 1
    assert compared


def test_arrays_between_items_are_written_by_name(random_specs):
    rng = random.Random(1)
    problem = random_specs.random_problem(rng)
    n = problem.items("rack").size
    costs = np.arange(float(n * n)).reshape(n, n)
    problem = replace(problem, goals=[MoveCost(scope="rack", costs=costs)])
    back = read_problem(json.dumps(problem_document(problem))).problem
    assignment = random_specs.random_assignment(rng, problem)
    specs = [p.tiers[0][0].spec for p in (problem, back)]
    assert specs[0].check(problem, np.array(assignment)) == specs[1].check(back, np.array(assignment))
