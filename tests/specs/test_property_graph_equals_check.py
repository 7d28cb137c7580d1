"""For every spec, on random problems: the graph's value is the value of the plain check."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import FulcrumError
from models.graph import Evaluator, GraphBuilder
from models.graph.cells import as_dense
from specs.compiler import Compiler, compile_problem
from specs.limits.capacity import Capacity
from specs.limits.group_count import GroupCount
from specs.registry import kinds, spec_class
from specs.spec import LimitSpec, Spec


def agree(spec: Spec, problem, assignment) -> None:
    c = Compiler(problem)
    assignment = problem.space.check(assignment)
    try:
        goal = spec.goal(c)
        limits = list(spec.constraints(c)) if isinstance(spec, LimitSpec) else []
    except FulcrumError:
        return  # parameters that do not fit this problem are refused, which other tests pin down
    evaluator = Evaluator(c.build(), assignment)

    assert evaluator.scalar(goal) == pytest.approx(spec.check(problem, assignment), abs=1e-9)
    if isinstance(spec, LimitSpec):
        elements = np.concatenate([as_dense(evaluator.value(x.node)) for x in limits])
        assert elements == pytest.approx(spec.excess(problem, assignment), abs=1e-9)
        for limit in limits:
            bounds = limit.node.bounds
            value = as_dense(evaluator.value(limit.node))
            assert value.max(initial=-np.inf) <= bounds.highest + 1e-9
            assert value.min(initial=np.inf) >= bounds.lowest - 1e-9


@pytest.mark.parametrize("kind", sorted(kinds()))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_graph_equals_check(kind, seed, random_specs):
    rng = random.Random(seed)
    problem = random_specs.random_problem(rng)
    spec = random_specs.random_spec(rng, spec_class(kind), problem)
    if spec is not None:
        agree(spec, problem, random_specs.random_assignment(rng, problem))


@pytest.mark.parametrize("counted", ["after", "before", "during", "new", "old", "moved", "stayed"])
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_every_counted_on_every_scope(counted, seed, random_specs):
    rng = random.Random(seed)
    problem = random_specs.random_problem(rng)
    assignment = random_specs.random_assignment(rng, problem)
    for scope in ("host", "rack", "partial", "zone"):
        for dimension in ("count", "cpu", "hourly", "placed"):
            agree(Capacity(scope=scope, dimension=dimension, limit=2, counted=counted), problem, assignment)
        agree(GroupCount(scope=scope, partition="job", dimension="cpu", counted=counted), problem, assignment)


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_most_random_parameters_are_accepted(kind, random_specs):
    accepted = 0
    for seed in range(60):
        rng = random.Random(seed)
        problem = random_specs.random_problem(rng)
        spec = random_specs.random_spec(rng, spec_class(kind), problem)
        if spec is None:
            continue
        try:
            spec.goal(Compiler(problem))
        except FulcrumError:
            continue
        accepted += 1
    assert accepted >= 10


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_a_start_is_never_infeasible_under_repair(seed, random_specs):
    """Policy repair: staying as it is satisfies every constraint, broken ones included."""
    from dataclasses import replace

    from models.graph import evaluate

    rng = random.Random(seed)
    problem = random_specs.random_problem(rng)
    drawn = [
        random_specs.random_spec(rng, spec_class(rng.choice(sorted(kinds()))), problem) for _ in range(6)
    ]
    limits = [s for s in drawn if isinstance(s, LimitSpec)]
    try:
        graph = compile_problem(replace(problem, constraints=limits))
    except FulcrumError:
        return
    result = evaluate(graph, problem.space.initial)
    assert result.feasible
    total = sum(s.check(problem, problem.space.initial) for s in limits)
    assert (float(result.tiers[0]) if len(result.tiers) else 0.0) == pytest.approx(total, abs=1e-6)
    assert isinstance(Compiler(problem), GraphBuilder)
