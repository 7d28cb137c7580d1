"""From a problem to the expression graph: what specs build with, and how policies and tiers become roots."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from models.errors import InvalidInput
from models.graph import HARD, REPORT, Cells, Evaluator, Graph, GraphBuilder, Node, Value
from models.graph.cells import Array
from models.graph.ops.nary import PresenceProduct
from models.graph.ops.unary import PositivePart, Presence
from specs.errors import located
from specs.policy import Constraint
from specs.problem import Problem

__all__ = ["Compiler", "compile_problem"]

REPAIR_TIER = -1


class Compiler(GraphBuilder):
    """A graph builder that knows the problem: leaves are asked for by name."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.space)
        self.problem = problem

    def used(self, scope: str, dimension: str, counted: str = "after") -> Node:
        """Amount of `dimension` on each item of `scope` (× component, for a vector dimension).

        `counted` says which objects: ``after`` the change, ``before`` it, ``during`` (either), ``new`` (only
        after), ``old`` (only before), ``moved`` (new and old), ``stayed`` (both).
        """
        return self.usage(self.problem.scope(scope), self.problem.weights_on(scope, dimension), counted)

    def used_by_group(self, partition: str, scope: str, dimension: str, counted: str = "after") -> Node:
        """Amount of `dimension` of each group of `partition` on each item of `scope`, sparse."""
        return self.group_usage(
            self.problem.partition(partition),
            self.problem.scope(scope),
            self.problem.weights_on(scope, dimension),
            counted,
        )

    def capacity(self, scope: str, dimension: str) -> Array:
        """Capacities flat, in the order of `used`; broadcast over components where they are the same."""
        given = self.problem.capacity(scope, dimension)
        components = self.problem.weights(dimension).n_components
        return np.repeat(given, components) if given.ndim == 1 else given.reshape(-1)

    def positive(self, node: Node) -> Node:
        """``max(0, x)`` of every element."""
        return self.node(PositivePart(), node)

    def present(self, node: Node) -> Node:
        """1 where an element is above 0, else 0."""
        return self.node(Presence(), node)

    def where(self, node: Node, amount: Node) -> Node:
        """`node` where `amount` is above 0, else 0."""
        return self.node(PresenceProduct(), node, self.present(amount))

    def scaled(self, node: Node, factor: float) -> Node:
        """``factor · x``."""
        return self.affine([(node, factor)])

    def added(self, nodes: Iterable[Node]) -> Node:
        """The sum of nodes over one axis."""
        return self.affine([(node, 1.0) for node in nodes])


@dataclass(frozen=True, slots=True)
class _Stated:
    constraint: Constraint
    label: str
    node: Node


def compile_problem(problem: Problem) -> Graph:
    """The expression graph of `problem`.

    Constraints and goals carry the names of `Problem.limits` and `Problem.tiers`. Policy *repair*: an element
    may exceed its limit by what it exceeds at the start, and the sum of what is beyond the limits is a goal
    before all tiers, named ``repair``. Policy *soft*: ``weight ×`` that sum is a goal in the policy's tier
    and the constraint is only reported. `Problem.named` turns an answer into names.

    Raises
    ------
    InvalidInput, UnknownName, Unsupported
        When a spec does not fit the problem.
    """
    c = Compiler(problem)
    stated: list[_Stated] = []
    for i, constraint in enumerate(problem.limits):
        assert constraint.name is not None
        with c.for_spec(constraint.name), located("constraints", i):
            stated += [_Stated(constraint, x.name, x.node) for x in constraint.spec.constraints(c)]
    allowances = _initial_excess(c, [s.node for s in stated if s.constraint.policy.kind == "repair"])
    for one in stated:
        _add(c, one, allowances)
    for level, tier in enumerate(problem.tiers):
        for i, goal in enumerate(tier):
            assert goal.name is not None
            with c.for_spec(goal.name), located("goals", level, i):
                c.minimize(goal.spec.goal(c), weight=goal.weight, tier=level, name=f"goal {level + 1}")
    return c.build()


def _add(c: Compiler, stated: _Stated, allowances: dict[int, Value]) -> None:
    policy, spec = stated.constraint.policy, stated.constraint.name
    assert spec is not None
    allowance: Value = np.zeros(())
    price_tier: int | None = None
    if policy.kind == "repair":
        allowance = allowances[stated.node.index]
        if isinstance(allowance, Cells) or np.any(allowance):
            price_tier = REPAIR_TIER
    elif policy.kind == "soft":
        last = len(c.problem.tiers)
        if policy.tier > last:
            raise InvalidInput(
                f"{spec}: a policy in tier {policy.tier} of {last} goal tiers (0 is the first)"
            )
        price_tier = policy.tier
    enforcement = REPORT if policy.kind == "soft" else HARD
    c.constrain(stated.node, spec=spec, name=stated.label, enforcement=enforcement, allowance=allowance)
    if price_tier is not None:
        with c.for_spec(spec):
            beyond = c.total(c.positive(stated.node))
            name = "repair" if price_tier == REPAIR_TIER else f"goal {price_tier + 1}"
            c.minimize(beyond, weight=policy.weight, tier=price_tier, name=name)


def _initial_excess(c: Compiler, nodes: list[Node]) -> dict[int, Value]:
    """``max(0, value at the start)`` of nodes, by index; a scalar 0 where nothing is broken."""
    if not nodes:
        return {}
    # objects that must end somewhere may still start nowhere
    anywhere = replace(c.space, may_be_unassigned=np.ones(c.space.n_objects, np.bool_))
    evaluator = Evaluator(replace(c.build(), space=anywhere), c.space.initial)
    return {node.index: _positive_part(evaluator.value(node)) for node in nodes}


def _positive_part(value: Value) -> Value:
    if not isinstance(value, Cells):
        return np.maximum(value, 0.0) if np.any(value > 0) else np.zeros(())
    beyond = value.values > 0
    if np.any(value.background > 0):
        return Cells(value.shape, np.maximum(value.background, 0), value.keys, np.maximum(value.values, 0))
    if not beyond.any():
        return np.zeros(())
    return Cells(value.shape, np.zeros((1, 1)), value.keys[beyond], value.values[beyond])
