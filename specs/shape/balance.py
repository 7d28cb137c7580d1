"""Usage relative to capacity is even over the items of a scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.errors import InvalidInput, Unsupported
from models.graph import SCALAR, Axis, Node
from models.graph.cells import Array
from models.graph.ops.reduce import Onto, Peak
from models.graph.ops.unary import Power, Square
from models.graph.space import Ints
from models.graph.weights import StaticWeights
from specs import measure
from specs.compiler import Compiler
from specs.parameters import Counted, chosen, initial_usage
from specs.problem import Problem
from specs.spec import Example, Spec

__all__ = ["Balance"]

_LEVELS = ("even", "initial_mean")


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance(Spec):
    """How far utilisation ``r(s) = used(s) / capacity(s)`` of scope items s is from level. No unit.

    With the target T (see `target`) and the slack u (see `slack`), where ``L = T · (1 + u)``:

    - linear: ``Σ_s max(0, r(s) − L)``
    - squares: ``Σ_s max(0, r(s) − L)²``
    - power: ``Σ_s max(0, r(s)^p − L^p)`` with p = `exponent`, r taken as at least 0
    - peak: ``max(0, max_s r(s) − L)``
    - ideal: ``Σ_s capacity(s) · r(s)²``, smallest when all r are equal; in the dimension's unit, no target
    - variance: ``(1/n) Σ_s r(s)² − ((1/n) Σ_s r(s))²`` over the n items, no target

    Nothing else is divided or scaled. Items without capacity are left out. For a vector dimension every
    component is balanced by itself and the values are added.

    Parameters
    ----------
    scope, dimension
        What is balanced, and over what.
    formula
        One of those above.
    target
        ``even``: ``Σ_o weight(o) / Σ_s capacity(s)`` over all objects, the level if all objects were spread
        evenly (for a dimension that does not depend on the place). ``initial_mean``: the mean of r at the
        start. A number: that level.
    slack
        How far above the target is free, as a share of it.
    exponent
        p of the formula ``power``, at least 1.
    counted
        Which objects count for a place.
    items
        Only these items; None: all.
    """

    scope: str
    dimension: str
    formula: Literal["linear", "squares", "power", "peak", "ideal", "variance"] = "linear"
    target: float | Literal["even", "initial_mean"] = "even"
    slack: float = 0.0
    exponent: float = 2.0
    counted: Counted = "after"
    items: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.slack) and self.slack >= 0):
            raise InvalidInput(f"balance: the slack is at least 0, got {self.slack}")
        if isinstance(self.target, str):
            if self.target not in _LEVELS:
                raise InvalidInput(
                    f"balance: the target is a number or one of {_LEVELS}, got {self.target!r}"
                )
        elif not (np.isfinite(self.target) and self.target >= 0):
            raise InvalidInput(f"balance: the target is at least 0, got {self.target}")
        if self.formula in ("ideal", "variance") and (self.target != "even" or self.slack):
            raise InvalidInput(f"balance: the formula {self.formula!r} takes no target and no slack")
        if self.exponent < 1 or (self.formula != "power" and self.exponent != 2.0):
            raise InvalidInput("balance: the exponent belongs to the formula 'power' and is at least 1")

    def _inverse_capacity(self, problem: Problem) -> Array:
        """``1 / capacity`` of the items that take part, else 0; items × components."""
        components = problem.weights(self.dimension).n_components
        capacity = measure.capacity(problem, self.scope, self.dimension)
        kept = np.repeat(chosen(self.items, problem.items(self.scope), "balance: items"), components)
        if not np.any(kept * capacity > 0):
            raise InvalidInput(f"balance: no {self.scope} has capacity of {self.dimension!r}")
        with np.errstate(divide="ignore"):
            return np.where((kept > 0) & (capacity > 0), 1.0 / capacity, 0.0).reshape(-1, components)

    def level(self, problem: Problem) -> Array:
        """float64[n_components]: the level L above which utilisation counts."""
        inverse = self._inverse_capacity(problem)
        taking_part = inverse > 0
        if not isinstance(self.target, str):
            target = np.full(inverse.shape[1], float(self.target))
        elif self.target == "even":
            weights = problem.weights(self.dimension)
            if not isinstance(weights, StaticWeights):
                raise Unsupported(
                    f"balance: {self.dimension!r} depends on the place, so there is no even level; "
                    "use the target 'initial_mean' or a number"
                )
            capacity = measure.capacity(problem, self.scope, self.dimension).reshape(inverse.shape)
            target = weights.values.sum(axis=0) / np.where(taking_part, capacity, 0.0).sum(axis=0)
        else:
            r = initial_usage(problem, self.scope, self.dimension) * inverse
            target = r.sum(axis=0) / taking_part.sum(axis=0)
        return np.asarray(target * (1.0 + self.slack))

    def goal(self, c: Compiler) -> Node:
        inverse = self._inverse_capacity(c.problem)
        flat = inverse.reshape(-1)
        used = c.used(self.scope, self.dimension, self.counted)
        if self.formula == "ideal":
            return c.total(c.node(Square(), c.affine([(used, np.sqrt(flat))])))
        if self.formula == "variance":
            return self._variance(c, used, inverse)
        level = np.where(inverse > 0, self.level(c.problem), 0.0).reshape(-1)
        if self.formula == "power":
            r = c.affine([(used, flat)])
            lifted = c.affine([(c.node(Power(self.exponent), r), 1.0)], -(level**self.exponent))
            return c.total(c.positive(lifted))
        beyond = c.affine([(used, flat)], -level)
        if self.formula == "linear":
            return c.total(c.positive(beyond))
        if self.formula == "squares":
            return c.total(c.node(Power(2.0), beyond))
        highest = c.node(Peak(_by_component(inverse)), beyond)
        return c.total(c.positive(highest))

    def _variance(self, c: Compiler, used: Node, inverse: Array) -> Node:
        r = c.affine([(used, inverse.reshape(-1))])
        n = (inverse > 0).sum(axis=0).astype(np.float64)
        onto = _by_component(inverse)
        squares = c.total(c.node(Square(), r), onto)
        mean = c.affine([(c.total(r, onto), 1.0 / n)])
        return c.total(c.affine([(squares, 1.0 / n), (c.node(Square(), mean), -1.0)]))

    def check(self, problem: Problem, assignment: Ints) -> float:
        capacity = measure.capacity(problem, self.scope, self.dimension)
        components = problem.weights(self.dimension).n_components
        kept = np.repeat(chosen(self.items, problem.items(self.scope), "balance: items"), components) > 0
        kept &= capacity > 0
        capacity = np.where(kept, capacity, np.nan).reshape(-1, components)

        def utilisation(of: Ints, counted: str) -> Array:
            used = measure.usage(problem, self.scope, self.dimension, of, counted)
            return np.asarray(used.reshape(-1, components) / capacity)

        r = utilisation(assignment, self.counted)
        if self.formula == "ideal":
            return float(np.nansum(capacity * r**2))
        if self.formula == "variance":
            return float(np.nanvar(r, axis=0).sum())
        target: Array | float
        if self.target == "initial_mean":
            target = np.nanmean(utilisation(problem.space.initial, "after"), axis=0)
        elif self.target == "even":
            anywhere = measure.weight_table(problem, self.scope, self.dimension)[:, 0, :]
            target = anywhere.sum(axis=0) / np.nansum(capacity, axis=0)
        else:
            target = self.target
        level = target * (1 + self.slack)
        if self.formula == "peak":
            return float(np.maximum(np.nanmax(r - level, axis=0), 0.0).sum())
        power = {"linear": 1.0, "squares": 1.0, "power": self.exponent}[self.formula]
        beyond = (
            np.maximum(np.maximum(r, 0) ** power - level**power, 0) if power > 1 else np.maximum(r - level, 0)
        )
        return float(np.nansum(beyond**2 if self.formula == "squares" else beyond))

    def describe(self) -> str:
        return f"{self.dimension} is even over every {self.scope}, by the formula {self.formula}"

    @classmethod
    def example(cls) -> Example:
        from specs.dimension import Dimension
        from specs.entities import Entities

        spec = cls(scope="host", dimension="cpu", formula="squares")
        problem = Problem(
            objects=Entities(name="task", ids=["t0", "t1", "t2"]),
            containers=Entities(name="host", ids=["h0", "h1"]),
            assignment={"t0": "h0", "t1": "h0", "t2": "h0"},
            dimensions={"cpu": Dimension(objects={"t0": 2, "t1": 4, "t2": 2}, containers=8)},
            goals=[spec],
        )
        # the even level is 8 / 16 = 0.5; h0 is at 6 / 8, 0.25 above
        return Example(
            problem=problem, spec=spec, assignment={"t0": "h0", "t1": "h0", "t2": "h1"}, value=0.0625
        )


def _by_component(inverse: Array) -> Onto:
    """Onto components (a scalar where there is one), leaving out the items that take no part."""
    component = np.broadcast_to(np.arange(inverse.shape[1]), inverse.shape)
    index = np.where(inverse > 0, component, -1).reshape(-1).astype(np.int64)
    return Onto("map", index, SCALAR if inverse.shape[1] == 1 else Axis("component", inverse.shape[1]))
