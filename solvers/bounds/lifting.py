"""What whole objects add to the lines under a convex function (see `solvers.bounds.decomposed`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.graph import Node, StaticWeights
from models.graph.cells import Array
from models.graph.ops import Usage
from solvers.bounds.convex import Touch, values
from solvers.bounds.places import Places
from solvers.bounds.separable import Inner, Part

__all__ = ["Lifting", "Line"]


@dataclass(frozen=True, eq=False, slots=True)
class Lifting:
    """A part whose amounts are ``coefficient · Σ_o q_o + constant`` over the objects o on an item, q_o >= 0.

    ``q``: float64[classes, D]; ``lonely``: bool[classes, cells of the leaf], whether a hard limit keeps every
    other object that counts off an item where the object is; None: nowhere.
    """

    node: Node
    part: Part
    q: Array
    lonely: npt.NDArray[np.bool_] | None

    @classmethod
    def of(cls, places: Places, part: Part, rows: Sequence[tuple[Inner, Array]]) -> Lifting | None:
        """None where the form does not fit: several leaves, weights by place or below 0."""
        if len(part.inner.leaves) != 1:
            return None
        node = part.inner.leaves[0][0]
        op = node.op
        if not isinstance(op, Usage) or op.counted != "after" or not isinstance(op.weights, StaticWeights):
            return None
        q = places.weights(op)
        if np.any(q < 0):
            return None
        return cls(node, part, q, _lonely(places, op, q, rows))

    def line(self, slope: Array, touch: Touch) -> Line:
        """The additions for the lines that touch at `touch` with `slope`."""
        coefficient = self.part.inner.leaves[0][1][self.part.cells]
        constant = self.part.inner.constant[self.part.cells]
        with np.errstate(divide="ignore", invalid="ignore"):
            at = np.where(coefficient != 0, (touch.at - constant) / coefficient, np.inf)
        # below an empty item there is nothing to lay increments above
        return Line(self, slope * coefficient, np.where(at >= 0, at, np.inf), touch, coefficient, constant)


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """Lines under the cells of a part, for amounts Σ q.

    ``price``: float64[K], slope by unit of q; ``at``: float64[K], where they touch, infinite where only the
    line itself holds.
    """

    lifting: Lifting
    price: Array
    at: Array
    touch: Touch
    coefficient: Array
    constant: Array

    def additions(self, rows: slice) -> tuple[Array, Array]:
        """Beside the line, for the classes `rows`: float64[n, leaf cells] twice.

        What an object adds beyond ``price · q``, and by how much the amount that counts for the slope of the
        bound differs from q.
        """
        cells = self.lifting.part.cells
        d = self.lifting.q.shape[1]
        q = self.lifting.q[rows][:, cells % d]
        more = np.maximum(q - self.at, 0.0)
        lifted = more > 0
        lonely = self.lifting.lonely
        if lonely is not None:
            alone = lonely[rows][:, cells] & (q > 0) & np.isfinite(self.at)
            lifted |= alone
            more = np.where(alone, q - np.where(np.isfinite(self.at), self.at, 0.0), more)
        high = np.zeros((more.shape[0], self.lifting.node.axis.size))
        shift = np.zeros_like(high)
        if lifted.any():
            amount = np.where(lifted, q, 0.0) * self.coefficient + self.constant
            rise = values(self.lifting.part, amount) - self.touch.height - self.price * more
            high[:, cells] = np.where(lifted, np.maximum(rise, 0.0), 0.0)
            shift[:, cells] = np.where(lifted, -more, 0.0)
        return high, shift


def _lonely(
    places: Places, op: Usage, q: Array, rows: Sequence[tuple[Inner, Array]]
) -> npt.NDArray[np.bool_] | None:
    """Where an object leaves no room for any other one with a weight."""
    n_cells = op.leaf_axis.size
    out = np.zeros((q.shape[0], n_cells), np.bool_)
    if out.size > 20_000_000 or q.shape[1] != 1:
        return None
    counts = q[:, 0] > 0
    size = places.classes.size
    for inner, allowance in rows:
        if len(inner.leaves) != 1:
            continue
        node, coefficient = inner.leaves[0]
        limit = node.op
        if not isinstance(limit, Usage) or limit.scope is not op.scope or limit.counted != "after":
            continue
        if not isinstance(limit.weights, StaticWeights) or limit.weights.n_components != 1:
            continue
        need = places.weights(limit)[:, 0]
        if np.any(need < 0) or counts.sum() == 0:
            continue
        # the least that another object takes: the smallest, or the second smallest for the smallest itself
        wanted = np.repeat(np.flatnonzero(counts), np.minimum(size[counts], 2))
        order = wanted[np.argsort(need[wanted], kind="stable")][:2]
        other = np.full(need.size, need[order[0]])
        other[order[0]] = need[order[1]] if order.size > 1 else np.inf
        room = allowance - inner.constant
        rounding = 1e-6 * np.maximum(1.0, np.abs(allowance))
        with np.errstate(invalid="ignore"):
            both = (need + other)[:, None] * coefficient
        out |= (coefficient > 0) & (both > room + rounding)
    return out if out.any() else None
