"""What people say: entities, constraints, goals, and the documents that carry them.

The Python front end; importing this package imports nothing else, each name loads its file when first used::

    from specs import (
        AvoidMoving, Balance, Capacity, Constraint, Dimension, Entities, Goal, GroupCount, HARD,
        MinimizeMovement, Problem, compile_problem, soft,
    )

    problem = Problem(
        objects=Entities(name="task", ids=["t0", "t1", "t2"]),       # or count=1_000_000, or counts={kind: n}
        containers=Entities(name="host", ids=["h0", "h1", "h2"]),
        assignment={"t0": "h0", "t1": "h0"},                         # or int[n_objects], -1 unassigned
        may_be_unassigned=False,                                     # default: those that start unassigned
        scopes={"rack": {"h0": "r0", "h1": "r0", "h2": "r1"}},       # or int[n_containers]; items may overlap
        partitions={"job": {"j0": ["t0", "t1", "t2"]}},              # or int[n_objects]; groups may overlap
        dimensions={"memory": Dimension(objects={"t0": 10, "default": 5}, containers=16, unit="GiB")},
        constraints=[
            Capacity(scope="host", dimension="memory"),              # a bare spec has the policy "repair"
            Constraint(GroupCount(scope="rack", partition="job", limit=2), HARD),
            Constraint(AvoidMoving(objects=("t0",)), soft(weight=3.0)),
        ],
        goals=[                                                      # tiers, the first goes first
            [Goal(Balance(scope="host", dimension="memory", formula="squares"), weight=2.0)],
            MinimizeMovement(),
        ],
    )
    graph = compile_problem(problem)      # models.graph.Graph; constraints and goals carry the specs' names
    problem.named([0, 1, 2])              # {"t0": "h0", …} from an answer
    problem.indices({"t0": "h0"})         # int32[n_objects] from names

- ``Problem(*, objects, containers, assignment=None, may_be_unassigned=None, scopes={}, partitions={},
  dimensions={}, constraints=(), goals=())``: checked when made; `specs.problem`.
- ``Entities(*, name, ids | count | counts)``: `specs.entities`.
- ``Dimension(*, objects, containers=None, items={scope: capacities}, by_item=None, unit="")``, ``ByItem(*,
  scope, values | columns, partition=None)``: `specs.dimension`. Values are a number for all, a mapping by
  name with ``default``, or an array (two-dimensional for a vector dimension).
- ``Over(*, scope, items)``: a scope over the items of another scope; `specs.grouping`.
- ``Constraint(spec, policy=REPAIR, name=None)``, ``Goal(spec, weight=1.0, name=None)``, ``HARD``, ``REPAIR``,
  ``soft(weight, *, tier=0)``: `specs.policy`. Results name a constraint or goal by its name, by default the
  spec's kind (``capacity``, ``capacity#2``, …).
- ``Capacity``, ``GroupCount``, ``Balance``, …: one file each in ``specs/limits``, ``shape``, ``placement``,
  ``movement``, ``affinity``; ``fulcrum specs`` lists them. A new spec is one new file there.
- ``read_problem(text, *, source=None, base=None) -> Problem``: the YAML or JSON document; `specs.document`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers; at run time `__getattr__` finds every spec by its file
    from specs.compiler import Compiler as Compiler
    from specs.compiler import compile_problem as compile_problem
    from specs.dimension import ByItem as ByItem
    from specs.dimension import Dimension as Dimension
    from specs.entities import Entities as Entities
    from specs.grouping import Over as Over
    from specs.limits.capacity import Capacity as Capacity
    from specs.limits.group_count import GroupCount as GroupCount
    from specs.movement.minimize_movement import MinimizeMovement as MinimizeMovement
    from specs.placement.avoid_moving import AvoidMoving as AvoidMoving
    from specs.policy import HARD as HARD
    from specs.policy import REPAIR as REPAIR
    from specs.policy import Constraint as Constraint
    from specs.policy import Goal as Goal
    from specs.policy import Policy as Policy
    from specs.policy import soft as soft
    from specs.problem import Problem as Problem
    from specs.shape.balance import Balance as Balance
    from specs.spec import LimitSpec as LimitSpec
    from specs.spec import Spec as Spec

_HOME = {
    "ByItem": "dimension",
    "Compiler": "compiler",
    "Constraint": "policy",
    "Dimension": "dimension",
    "Entities": "entities",
    "Goal": "policy",
    "HARD": "policy",
    "LimitSpec": "spec",
    "Over": "grouping",
    "Policy": "policy",
    "Problem": "problem",
    "REPAIR": "policy",
    "Spec": "spec",
    "compile_problem": "compiler",
    "soft": "policy",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"specs.{_HOME[name]}"), name)
    if not name.startswith("_"):
        from specs.registry import class_name, kinds

        for kind, module in kinds().items():
            if class_name(kind) == name:
                return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'specs' has no attribute {name!r}")
