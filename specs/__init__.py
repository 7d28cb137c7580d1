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
    from specs.affinity.assignment_affinities import AssignmentAffinities as AssignmentAffinities
    from specs.affinity.group_affinities import GroupAffinities as GroupAffinities
    from specs.affinity.pair_affinities import PairAffinities as PairAffinities
    from specs.affinity.routing_latency import RoutingLatency as RoutingLatency
    from specs.affinity.scope_affinities import ScopeAffinities as ScopeAffinities
    from specs.compiler import Compiler as Compiler
    from specs.compiler import compile_problem as compile_problem
    from specs.dimension import ByItem as ByItem
    from specs.dimension import Dimension as Dimension
    from specs.entities import Entities as Entities
    from specs.grouping import Over as Over
    from specs.limits.capacity import Capacity as Capacity
    from specs.limits.capacity_ratio import CapacityRatio as CapacityRatio
    from specs.limits.capacity_with_group_presence import (
        CapacityWithGroupPresence as CapacityWithGroupPresence,
    )
    from specs.limits.colocate_groups import ColocateGroups as ColocateGroups
    from specs.limits.disaster_recovery_capacity import DisasterRecoveryCapacity as DisasterRecoveryCapacity
    from specs.limits.drain_capacity import DrainCapacity as DrainCapacity
    from specs.limits.exclusive_groups import ExclusiveGroups as ExclusiveGroups
    from specs.limits.exclusive_objects import ExclusiveObjects as ExclusiveObjects
    from specs.limits.exclusive_scope_items import ExclusiveScopeItems as ExclusiveScopeItems
    from specs.limits.group_capacity import GroupCapacity as GroupCapacity
    from specs.limits.group_count import GroupCount as GroupCount
    from specs.limits.group_dependency import GroupDependency as GroupDependency
    from specs.limits.group_diversity import GroupDiversity as GroupDiversity
    from specs.limits.group_isolation import GroupIsolation as GroupIsolation
    from specs.limits.group_spread import GroupSpread as GroupSpread
    from specs.limits.linear_limit import LinearLimit as LinearLimit
    from specs.limits.nested_limit import NestedLimit as NestedLimit
    from specs.limits.net_flow import NetFlow as NetFlow
    from specs.limits.throttle import Throttle as Throttle
    from specs.movement.group_move_limit import GroupMoveLimit as GroupMoveLimit
    from specs.movement.minimize_movement import MinimizeMovement as MinimizeMovement
    from specs.movement.move_cost import MoveCost as MoveCost
    from specs.movement.movement_budget import MovementBudget as MovementBudget
    from specs.placement.avoid_assignments import AvoidAssignments as AvoidAssignments
    from specs.placement.avoid_moving import AvoidMoving as AvoidMoving
    from specs.placement.logical_and import LogicalAnd as LogicalAnd
    from specs.placement.logical_or import LogicalOr as LogicalOr
    from specs.placement.move_group import MoveGroup as MoveGroup
    from specs.placement.moves_in_progress import MovesInProgress as MovesInProgress
    from specs.placement.non_accepting import NonAccepting as NonAccepting
    from specs.placement.to_free import ToFree as ToFree
    from specs.policy import HARD as HARD
    from specs.policy import REPAIR as REPAIR
    from specs.policy import Constraint as Constraint
    from specs.policy import Goal as Goal
    from specs.policy import Policy as Policy
    from specs.policy import soft as soft
    from specs.problem import Problem as Problem
    from specs.shape.balance import Balance as Balance
    from specs.shape.fragmentation import Fragmentation as Fragmentation
    from specs.shape.maximize_allocation import MaximizeAllocation as MaximizeAllocation
    from specs.shape.minimize_containers import MinimizeContainers as MinimizeContainers
    from specs.shape.minimize_peak import MinimizePeak as MinimizePeak
    from specs.shape.sum_of_max import SumOfMax as SumOfMax
    from specs.shape.utilization_increase_cost import UtilizationIncreaseCost as UtilizationIncreaseCost
    from specs.shape.working_set import WorkingSet as WorkingSet
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
