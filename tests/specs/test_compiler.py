"""`specs.compiler`: policies and tiers as roots of the graph."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import InvalidInput
from models.graph import HARD as ENFORCED
from models.graph import REPORT, evaluate
from specs import (
    HARD,
    Capacity,
    Constraint,
    Dimension,
    Entities,
    Goal,
    GroupCount,
    MinimizeMovement,
    Problem,
    compile_problem,
    soft,
)


def problem(*constraints, goals=(), start=(0, 0, 0)):
    return Problem(
        objects=Entities(name="task", count=3),
        containers=Entities(name="host", count=2),
        assignment=list(start),
        partitions={"job": [0, 0, 0]},
        dimensions={"cpu": Dimension(objects=[3, 2, 1], containers=4)},
        constraints=constraints,
        goals=goals,
    )


CPU = Capacity(scope="host", dimension="cpu")


def test_repair_allows_what_is_broken_at_the_start_but_not_more():
    graph = compile_problem(problem(CPU, goals=[MinimizeMovement()]))

    assert [tier.name for tier in graph.tiers] == ["repair", "goal 1"]
    start, better, worse = (evaluate(graph, a) for a in ([0, 0, 0], [0, 1, 0], [1, 1, 1]))
    assert start.feasible
    assert start.tiers.tolist() == [2.0, 0.0]
    assert better.feasible
    assert better.tiers.tolist() == [0.0, 1.0]
    assert not worse.feasible  # host1 was not broken at the start


def test_repair_without_anything_broken_is_a_plain_limit():
    graph = compile_problem(problem(CPU, start=(0, 1, 0)))
    assert graph.tiers == ()
    assert graph.constraints[0].enforcement == ENFORCED


def test_repair_of_sparse_limits():
    graph = compile_problem(problem(GroupCount(scope="host", partition="job", limit=1)))
    assert evaluate(graph, [0, 0, 0]).feasible
    assert not evaluate(graph, [1, 1, 0]).feasible
    assert evaluate(graph, [0, 0, 1]).tiers.tolist() == [1.0]


def test_hard_holds_whatever_the_start():
    graph = compile_problem(problem(Constraint(CPU, HARD)))
    assert not evaluate(graph, [0, 0, 0]).feasible
    assert graph.tiers == ()


def test_soft_is_a_price_in_its_tier_and_reported():
    graph = compile_problem(problem(Constraint(CPU, soft(10.0, tier=1)), goals=[MinimizeMovement()]))
    result = evaluate(graph, [0, 0, 0])

    assert [tier.name for tier in graph.tiers] == ["goal 1", "goal 2"]
    assert graph.constraints[0].enforcement == REPORT
    assert result.feasible
    assert result.tiers.tolist() == [0.0, 20.0]
    assert result.constraints[0].broken == 1


def test_soft_in_a_tier_that_does_not_exist_is_refused():
    with pytest.raises(InvalidInput, match="tier 3 of 1"):
        compile_problem(problem(Constraint(CPU, soft(1.0, tier=3)), goals=[MinimizeMovement()]))


def test_weights_multiply_the_value_and_names_are_carried():
    graph = compile_problem(problem(goals=[[Goal(CPU, 2.5, "overload"), MinimizeMovement()]]))
    result = evaluate(graph, [0, 0, 1])

    assert result.terms == ((2.5, 1.0),)
    assert [term.spec for term in graph.tiers[0].terms] == ["overload", "minimize_movement"]


def test_a_start_that_is_no_answer_can_still_be_repaired_from():
    made = Problem(
        objects=Entities(name="task", count=2),
        containers=Entities(name="host", count=1),
        may_be_unassigned=False,
        constraints=[Capacity(scope="host", dimension="count", limit=3, bound="min")],
    )
    graph = compile_problem(made)
    assert evaluate(graph, np.zeros(2, np.int32)).tiers.tolist() == [1.0]


def test_equal_parts_of_specs_are_one_node():
    once = compile_problem(problem(CPU))
    twice = compile_problem(problem(CPU, Constraint(CPU, HARD)))
    assert len(once.nodes) == len(twice.nodes)


def test_compilation_is_deterministic():
    first, second = (compile_problem(problem(CPU, goals=[MinimizeMovement()])) for _ in range(2))
    assert [repr(n) for n in first.nodes] == [repr(n) for n in second.nodes]
