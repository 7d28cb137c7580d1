"""An assignment problem as people state it, checked and turned into tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput, UnknownName
from models.graph import AssignmentSpace, Partition, Scope
from models.graph.cells import Array, summed
from models.graph.space import UNASSIGNED, Ints
from models.graph.weights import Weights
from specs.dimension import COUNT, Dimension
from specs.entities import Entities
from specs.errors import located
from specs.grouping import PartitionInput, ScopeInput, make_partition, make_scopes
from specs.policy import Constraint, Goal
from specs.spec import LimitSpec, Spec
from specs.start import AssignmentInput, make_initial, make_may_be_unassigned
from specs.values import NamedAxis, complete
from specs.weights import make_weights, weights_on

__all__ = ["Problem"]

Names: TypeAlias = NamedAxis | Entities


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """Objects to be assigned to containers under constraints, for goals.

    Everything is checked when the problem is made.

    Parameters
    ----------
    objects, containers
        What is assigned to what.
    assignment
        Where objects are at the start: object (or kind) → container; a kind may also map to
        {container: number}; or int[n_objects] container numbers, -1 for unassigned. None: all unassigned.
    may_be_unassigned
        Which objects may end in no container: True, False, names, or bool[n_objects]. None: those that start
        there.
    scopes, partitions
        By name; see `specs.grouping`. The containers by themselves are the scope named like them.
    dimensions
        By name. ``count`` (every object weighs 1, no capacity) always exists.
    constraints
        Specs (with the policy *repair*) or `Constraint`.
    goals
        Tiers in falling priority. A tier is one spec or `Goal`, or a sequence of them that is summed.

    Raises
    ------
    InvalidInput, UnknownName
        With what is wrong and what would be right.
    """

    objects: Entities
    containers: Entities
    assignment: AssignmentInput = None
    may_be_unassigned: bool | Sequence[str] | npt.NDArray[np.bool_] | None = None
    scopes: Mapping[str, ScopeInput] = field(default_factory=dict)
    partitions: Mapping[str, PartitionInput] = field(default_factory=dict)
    dimensions: Mapping[str, Dimension] = field(default_factory=dict)
    constraints: Sequence[LimitSpec | Constraint] = ()
    goals: Sequence[Spec | Goal | Sequence[Spec | Goal]] = ()

    def __post_init__(self) -> None:
        with located("containers"):
            if self.objects.name == self.containers.name:
                raise InvalidInput(f"objects and containers are both called {self.objects.name!r}")
        with located("assignment"):
            _ = self._initial
        with located("may_be_unassigned"):
            _ = self.space
        with located("scopes"):
            _ = self._scopes
        _ = self._partitions
        for name, dimension in self.dimensions.items():
            self._check_dimension(name, dimension)
        with located("constraints"):
            _ = self.limits
        with located("goals"):
            _ = self.tiers

    def _check_dimension(self, name: str, dimension: Dimension) -> None:
        with located("dimensions", name):
            if name == COUNT:
                raise InvalidInput(f"dimension {COUNT!r} exists already: every {self.objects.name} weighs 1")
            self.weights(name)
        if dimension.containers is not None:
            with located("dimensions", name, "containers"):
                self.capacity(self.containers.name, name)
        for scope in dimension.items:
            with located("dimensions", name, "items", scope):
                self.capacity(scope, name)

    # -- entities ------------------------------------------------------------------------------------------

    @cached_property
    def _initial(self) -> Ints:
        return make_initial(self.assignment, self.objects, self.containers)

    @cached_property
    def space(self) -> AssignmentSpace:
        """The decision as the graph sees it."""
        initial = self._initial
        may = make_may_be_unassigned(self.may_be_unassigned, initial, self.objects)
        return AssignmentSpace(self.objects.axis, self.containers.axis, initial, may)

    @cached_property
    def _scopes(self) -> dict[str, tuple[Scope, Names]]:
        return make_scopes(self.scopes, self.containers)

    @cached_property
    def _partitions(self) -> dict[str, tuple[Partition, NamedAxis]]:
        made = {}
        for name, value in self.partitions.items():
            with located("partitions", name):
                made[name] = make_partition(name, value, self.objects)
        return made

    def scope(self, name: str) -> Scope:
        """Scope `name`; raises UnknownName."""
        return self._scopes[self._known("scope", name, self._scopes)][0]

    def items(self, scope: str) -> Names:
        """The named items of `scope`; raises UnknownName."""
        return self._scopes[self._known("scope", scope, self._scopes)][1]

    def partition(self, name: str) -> Partition:
        """Partition `name`; raises UnknownName."""
        return self._partitions[self._known("partition", name, self._partitions)][0]

    def groups(self, partition: str) -> NamedAxis:
        """The named groups of `partition`; raises UnknownName."""
        return self._partitions[self._known("partition", partition, self._partitions)][1]

    # -- dimensions ----------------------------------------------------------------------------------------

    @cached_property
    def _weights(self) -> dict[str, Weights]:
        return {}

    def weights(self, dimension: str) -> Weights:
        """What objects weigh in `dimension`: by themselves, or by item of the dimension's own scope."""
        found = self._weights.get(dimension)
        if found is None:
            self._known("dimension", dimension, [COUNT, *self.dimensions])
            stated = Dimension(objects=1.0) if dimension == COUNT else self.dimensions[dimension]
            found = self._weights[dimension] = make_weights(dimension, stated, self)
        return found

    def by_item(self, dimension: str) -> str | None:
        """The scope that the weights of a dynamic dimension depend on; None for a static one."""
        stated = self.dimensions.get(dimension)
        return stated.by_item.scope if stated is not None and stated.by_item is not None else None

    def weights_on(self, scope: str, dimension: str) -> Weights:
        """Weights of `dimension` as they apply on the items of `scope`; see `specs.weights.weights_on`."""
        return weights_on(scope, dimension, self)

    def unit(self, dimension: str) -> str:
        """Unit of `dimension`, for messages."""
        return self.dimensions[dimension].unit if dimension in self.dimensions else ""

    @cached_property
    def _capacities(self) -> dict[tuple[str, str], Array]:
        return {}

    def capacity(self, scope: str, dimension: str) -> Array:
        """float64[n_items] or float64[n_items, n_components]: capacity of the items of `scope`.

        Raises InvalidInput where the dimension has none, or a negative one.
        """
        key = (scope, dimension)
        if key not in self._capacities:
            self._capacities[key] = self._make_capacity(scope, dimension)
        return self._capacities[key]

    def _make_capacity(self, scope: str, dimension: str) -> Array:
        items = self.items(scope)
        self._known("dimension", dimension, [COUNT, *self.dimensions])
        stated = self.dimensions.get(dimension)
        what = f"dimension {dimension!r}: capacity of {scope}"
        if stated is not None and scope in stated.items:
            given = complete(stated.items[scope], items, what)
        elif stated is not None and stated.containers is not None:
            per_container = complete(stated.containers, self.containers, what)
            if scope == self.containers.name:
                given = per_container
            else:
                position, item = self.scope(scope).expand(np.arange(self.containers.size))
                columns = per_container.reshape(self.containers.size, -1)[position]
                given = np.column_stack([summed(item, c, items.size) for c in columns.T])
                given = given.reshape((items.size, *per_container.shape[1:]))
        else:
            raise InvalidInput(
                f"dimension {dimension!r} has no capacity of {scope}; give it (containers, or items of "
                f"{scope!r}), or state an absolute limit in the spec"
            )
        components = self.weights(dimension).n_components
        if given.ndim == 2 and given.shape[1] != components:
            raise InvalidInput(f"{what} has {given.shape[1]} components, objects have {components}")
        if given.size and given.min() < 0:
            row = int(np.argmin(given.reshape(items.size, -1).min(axis=1)))
            raise InvalidInput(f"{what} {items.labels[row]!r} is {given.min()}; a capacity is at least 0")
        return given

    # -- what is asked -------------------------------------------------------------------------------------

    @cached_property
    def limits(self) -> tuple[Constraint, ...]:
        """The constraints, each with its policy and name."""
        given = [c if isinstance(c, Constraint) else Constraint(c) for c in self.constraints]
        names = _unique([c.name or c.spec.kind() for c in given])
        return tuple(Constraint(c.spec, c.policy, n) for c, n in zip(given, names, strict=True))

    @cached_property
    def tiers(self) -> tuple[tuple[Goal, ...], ...]:
        """The goals, tier by tier, each with its weight and name."""
        tiers = [(t,) if isinstance(t, (Spec, Goal)) else tuple(t) for t in self.goals]
        if any(not tier for tier in tiers):
            raise InvalidInput("a goal tier is empty")
        flat = [g if isinstance(g, Goal) else Goal(g) for tier in tiers for g in tier]
        taken = [c.name or "" for c in self.limits]
        names = _unique([g.name or g.spec.kind() for g in flat], taken)
        named = iter([Goal(g.spec, g.weight, name) for g, name in zip(flat, names, strict=True)])
        return tuple(tuple(next(named) for _ in tier) for tier in tiers)

    # -- answers -------------------------------------------------------------------------------------------

    def indices(self, assignment: Mapping[str, str | None]) -> Ints:
        """int32[n_objects] from object → container; objects left out are unassigned."""
        return make_initial(assignment, self.objects, self.containers)

    def named(self, assignment: npt.ArrayLike) -> dict[str, str | None]:
        """Object → container (None: unassigned) from int[n_objects]."""
        labels = self.containers.labels
        return {
            o: None if c == UNASSIGNED else labels[c]
            for o, c in zip(self.objects.labels, np.asarray(assignment).tolist(), strict=True)
        }

    def _repr_html_(self) -> str:
        from models.markup import html_table

        title = (
            f"{self.objects.size} × {self.objects.name} to {self.containers.size} × {self.containers.name}"
        )
        rows: list[tuple[object, ...]] = [("scope", name) for name in self.scopes]
        rows += [("partition", name) for name in self.partitions]
        rows += [("dimension", name) for name in self.dimensions]
        rows += [("constraint", constraint.name) for constraint in self.limits]
        rows += [(f"goal, tier {i}", goal.name) for i, tier in enumerate(self.tiers) for goal in tier]
        return html_table(title, ("what", "name"), rows)

    def _known(self, what: str, name: str, valid: Mapping[str, object] | Sequence[str]) -> str:
        if name not in valid:
            raise UnknownName(what, str(name), valid)
        return name


def _unique(names: Sequence[str], taken: Sequence[str] = ()) -> list[str]:
    """`names`, with ``#2``, ``#3``, … where one is used already."""
    used = set(taken)
    out = []
    for name in names:
        number, made = 1, name
        while made in used:
            number += 1
            made = f"{name}#{number}"
        used.add(made)
        out.append(made)
    return out
