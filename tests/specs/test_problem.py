"""`specs.problem`: what is checked when a problem is made, and what it derives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.errors import InvalidInput, UnknownName, Unsupported
from models.graph import DynamicWeights
from specs import (
    HARD,
    Balance,
    ByItem,
    Capacity,
    Constraint,
    Dimension,
    Entities,
    Goal,
    GroupCount,
    MinimizeMovement,
    Over,
    Problem,
)


def problem(**more):
    given = {
        "objects": Entities(name="task", ids=["t0", "t1", "t2"]),
        "containers": Entities(name="host", ids=["h0", "h1", "h2", "h3"]),
        "scopes": {"rack": {"h0": "r0", "h1": "r0", "h2": "r1"}},
        "dimensions": {"cpu": Dimension(objects={"t0": 1, "default": 2}, containers=[1, 2, 3, 4])},
    }
    return Problem(**(given | more))


def test_capacity_of_a_coarser_scope_is_the_total_of_its_containers():
    assert problem().capacity("rack", "cpu").tolist() == [3, 3]


def test_capacity_given_for_a_scope_wins():
    cpu = Dimension(objects=1, containers=1, items={"rack": {"r0": 7, "default": 9}})
    assert problem(dimensions={"cpu": cpu}).capacity("rack", "cpu").tolist() == [7, 9]


def test_scopes_over_scopes():
    made = problem(
        scopes={
            "zone": Over(scope="rack", items={"r0": "z0", "r1": ["z0", "z1"]}),
            "rack": {"h0": "r0", "h1": "r0", "h2": "r1"},
        }
    )
    position, item = made.scope("zone").expand(np.arange(4))
    assert list(zip(position.tolist(), item.tolist(), strict=True)) == [(0, 0), (1, 0), (2, 0), (2, 1)]


def test_scopes_in_a_circle_are_refused():
    circle = {"a": Over(scope="b", items={}), "b": Over(scope="a", items={})}
    with pytest.raises(InvalidInput, match="in a circle: a → b → a"):
        problem(scopes=circle)


def test_dynamic_weights_apply_on_finer_scopes():
    by_item = ByItem(scope="rack", values={"r0": {"t0": 0, "t1": 5}})
    made = problem(dimensions={"cpu": Dimension(objects=2, by_item=by_item)})
    weights = made.weights_on("host", "cpu")

    assert isinstance(weights, DynamicWeights)
    tasks, hosts = np.array([0, 1, 2, 0, 0]), np.array([0, 1, 0, 2, 3])
    assert weights.at(tasks, hosts)[:, 0].tolist() == [0, 5, 2, 2, 2]


def test_dynamic_weights_on_a_coarser_scope_are_refused():
    by_item = ByItem(scope="host", values={"h0": {"t0": 0}})
    made = problem(dimensions={"cpu": Dimension(objects=2, by_item=by_item)})
    with pytest.raises(Unsupported, match="no single value there"):
        made.weights_on("rack", "cpu")


def test_names_of_goals_and_constraints_are_unique_and_every_goal_is_kept():
    made = problem(
        constraints=[
            Capacity(scope="host", dimension="cpu"),
            Constraint(Capacity(scope="rack", dimension="cpu")),
        ],
        goals=[
            [Balance(scope="host", dimension="cpu"), Goal(Balance(scope="rack", dimension="cpu"), 2.0)],
            MinimizeMovement(),
            [Goal(MinimizeMovement(), name="again")],
        ],
    )
    assert [c.name for c in made.limits] == ["capacity", "capacity#2"]
    assert [[g.name for g in tier] for tier in made.tiers] == [
        ["balance", "balance#2"],
        ["minimize_movement"],
        ["again"],
    ]
    assert made.tiers[0][1].weight == 2.0


def test_identical_objects_by_count():
    made = problem(
        objects=Entities(name="task", counts={"small": 3, "large": 1}),
        assignment={"small": {"h0": 2}, "large": "h1"},
        dimensions={"cpu": Dimension(objects={"small": 1, "large": 8}, containers=9)},
        partitions={"kind": {"all": ["small", "large/0"]}},
    )
    assert made.space.initial.tolist() == [0, 0, -1, 1]
    assert made.weights("cpu").values[:, 0].tolist() == [1, 1, 1, 8]
    assert made.partition("kind").group_sizes.tolist() == [4]


def test_names_and_indices_are_inverse():
    made = problem()
    assert made.named(made.indices({"t1": "h3"})) == {"t0": None, "t1": "h3", "t2": None}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"assignment": {"t9": "h0"}}, UnknownName, "assignment: unknown task 't9'"),
        ({"assignment": {"t0": "h9"}}, UnknownName, "assignment: unknown host 'h9'"),
        ({"assignment": [0, 1, 9]}, InvalidInput, "container number 9 of 4"),
        ({"assignment": [0, 1]}, InvalidInput, "one whole number for each of 3"),
        ({"may_be_unassigned": ["t7"]}, UnknownName, "may_be_unassigned: unknown task"),
        ({"scopes": {"host": {}}}, InvalidInput, "exists already"),
        ({"scopes": {"rack": {}}}, InvalidInput, "holds no container"),
        ({"scopes": {"rack": np.array([0, 0, 2, 2])}}, InvalidInput, "number 1 has no host"),
        ({"partitions": {"job": {}}}, InvalidInput, "partitions.job: partition 'job' has no groups"),
        ({"partitions": {"job": {"j": []}}}, InvalidInput, "has no objects"),
        ({"partitions": {"job": {"j": ["t0", "t0"]}}}, InvalidInput, "one task twice"),
        ({"dimensions": {"count": Dimension(objects=1)}}, InvalidInput, "exists already"),
        (
            {"dimensions": {"x": Dimension(objects={"t0": 1})}},
            InvalidInput,
            "no value for task 't1' and 1 more",
        ),
        ({"dimensions": {"x": Dimension(objects=np.nan)}}, InvalidInput, "must be a finite number"),
        (
            {"dimensions": {"x": Dimension(objects={"t0": "5", "default": 1})}},
            InvalidInput,
            "expected a number",
        ),
        ({"dimensions": {"x": Dimension(objects=[1, 2])}}, InvalidInput, "2 values for 3"),
        (
            {"dimensions": {"x": Dimension(objects=1, containers=-1)}},
            InvalidInput,
            "a capacity is at least 0",
        ),
        (
            {"dimensions": {"x": Dimension(objects={"t0": [1, 2], "default": [1]})}},
            InvalidInput,
            "components",
        ),
        ({"dimensions": {"x": Dimension(objects={"t0": [], "default": 1})}}, InvalidInput, "an empty list"),
        ({"dimensions": {"x": Dimension(objects=[[], [], []])}}, InvalidInput, "every row is empty"),
        ({"dimensions": {"x": Dimension(objects=[[1, 2], [3], [4]])}}, InvalidInput, "rows of equally many"),
        ({"dimensions": {"x": Dimension(objects=1e16)}}, InvalidInput, "leave the limit out"),
        ({"goals": [[]]}, InvalidInput, "tier is empty"),
    ],
)
def test_mistakes_have_a_message(change, error, message):
    with pytest.raises(error, match=message):
        problem(**change)


def test_a_goal_is_not_a_constraint():
    with pytest.raises(InvalidInput, match="states a goal, not a limit"):
        Constraint(MinimizeMovement(), HARD)


def test_errors_of_specs_say_which_one():
    from specs import compile_problem

    made = problem(
        constraints=[Capacity(scope="host", dimension="cpu"), GroupCount(scope="host", partition="job")]
    )
    with pytest.raises(UnknownName, match=r"constraints\[1\]: unknown partition 'job'"):
        compile_problem(made)


def test_a_problem_is_frozen_and_can_be_changed_by_copy():
    made = problem()
    with pytest.raises(AttributeError):
        made.goals = ()
    assert replace(made, goals=[MinimizeMovement()]).tiers[0][0].name == "minimize_movement"
