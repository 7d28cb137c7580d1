"""Why is this object not there: what blocks it, or what it would cost, by spec."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from models.errors import InvalidInput
from models.graph import HARD, UNASSIGNED, Axis, Constraint, Graph, Node, Scope, StaticWeights, evaluate
from models.graph.ops import Usage
from models.graph.space import Ints
from solvers.options import SolveOptions
from solvers.result import Result

__all__ = ["Blocker", "Cost", "Placement", "explain_placement", "force_placement"]


@dataclass(frozen=True, slots=True)
class Blocker:
    """A hard constraint the move would break: by how much in its worst element, and which that is."""

    spec: str
    name: str
    where: str | None
    excess: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What the move adds to the terms of one spec in one goal tier (negative: it helps)."""

    tier: str
    spec: str
    amount: float


@dataclass(frozen=True, slots=True)
class Placement:
    """One object in one container, everything else as it is.

    ``container``: -1 for unassigned; ``blockers``: empty when the move is allowed; ``costs``: by tier and
    spec, zeros left out; ``tiers``: total change of each tier.
    """

    container: int
    blockers: tuple[Blocker, ...]
    costs: tuple[Cost, ...]
    tiers: tuple[float, ...]


def explain_placement(
    graph: Graph,
    assignment: Ints,
    obj: int,
    containers: Iterable[int] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> tuple[Placement, ...]:
    """What happens when object `obj` alone moves to each of `containers` (default: everywhere it may be).

    Allowed moves first, cheapest first by tiers; then the blocked ones. Each is one evaluation of the graph;
    `stopped` is asked before each, and ends with those done so far.
    """
    space = graph.space
    if not 0 <= obj < space.n_objects:
        raise InvalidInput(f"there is no object {obj}; the problem has {space.n_objects}")
    if containers is None:
        containers = range(UNASSIGNED if space.may_be_unassigned[obj] else 0, space.n_containers)
    now = space.check(assignment)
    before = evaluate(graph, now)
    out = []
    for container in containers:
        if stopped():
            break
        moved = now.copy()
        moved[obj] = container
        after = evaluate(graph, moved)
        blockers = [
            Blocker(new.constraint.spec, new.constraint.name, new.where, new.worst)
            for old, new in zip(before.constraints, after.constraints, strict=True)
            if new.constraint.enforcement == HARD and new.broken and new.violation > old.violation
        ]
        costs = []
        for tier, old_terms, new_terms in zip(graph.tiers, before.terms, after.terms, strict=True):
            by_spec: dict[str, float] = {}
            for term, old_value, new_value in zip(tier.terms, old_terms, new_terms, strict=True):
                by_spec[term.spec] = by_spec.get(term.spec, 0.0) + new_value - old_value
            costs += [Cost(tier.name, spec, amount) for spec, amount in by_spec.items() if amount]
        change = tuple((after.tiers - before.tiers).tolist())
        out.append(Placement(int(container), tuple(blockers), tuple(costs), change))
    return tuple(sorted(out, key=lambda p: (len(p.blockers), p.tiers, p.container)))


def force_placement(graph: Graph, obj: int, container: int, options: SolveOptions | None = None) -> Result:
    """The best assignment with object `obj` in `container` (-1: unassigned), all others free to make room.

    The difference of its tiers to those of the unforced optimum is what the wish costs.
    """
    from solvers.choose import solve

    space = graph.space
    if not 0 <= obj < space.n_objects:
        raise InvalidInput(f"there is no object {obj}; the problem has {space.n_objects}")
    if not UNASSIGNED <= container < space.n_containers:
        raise InvalidInput(f"there is no container {container}; the problem has {space.n_containers}")
    rows = np.zeros(space.n_containers + 1, np.int64)
    rows[container] = 1  # -1 is the last row, the unassigned state
    indptr = np.zeros(space.n_containers + 2, np.int64)
    np.cumsum(rows, out=indptr[1:])
    scope = Scope("the wished place", Axis("the wished place", 1), indptr, np.zeros(1, np.int32))
    weights = np.zeros(space.n_objects)
    weights[obj] = -1.0
    leaf = Usage(scope, StaticWeights.of(weights))
    node = Node(len(graph.nodes), leaf, (), leaf.leaf_axis, leaf.bounds(space), leaf.curvature, leaf.integral)
    place = "unassigned" if container == UNASSIGNED else space.containers.label(container)
    name = f"{space.objects.label(obj)} in {place}"
    wish = Constraint(node, "wish", name, HARD, np.asarray(-1.0))
    forced = replace(graph, nodes=(*graph.nodes, node), constraints=(*graph.constraints, wish))
    return solve(forced, options)
