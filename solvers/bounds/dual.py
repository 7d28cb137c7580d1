"""The dual function of a decomposed tier: prices in, a bound and a direction out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.graph import Graph, Node
from models.graph.cells import Array
from models.graph.evaluate import Evaluator
from models.graph.ops import Usage
from models.graph.space import Ints
from solvers.bounds.blocks import Block, block_of, lattice_of, levelled
from solvers.bounds.convex import slopes, touching
from solvers.bounds.lifting import Lifting, Line
from solvers.bounds.places import Places
from solvers.bounds.separable import Inner, Part, Separable
from solvers.clock import Clock

__all__ = ["Dual", "Prices", "Value"]

Prices = list[Array]
"""One array for each block: the parts, then the linear limits, then the pinned tiers (one price each)."""

EQUAL = 1e-9
"""Places whose costs differ by less, relative to the largest cost, share an object in the direction."""


@dataclass(frozen=True, eq=False, slots=True)
class Value:
    """Bound at some prices; ``slope``: a supergradient, by block."""

    bound: float
    slope: Prices


@dataclass(frozen=True, eq=False, slots=True)
class _Curved:
    part: Part
    block: Block
    low: Array
    high: Array
    step: Array
    lifting: Lifting | None


@dataclass(eq=False, slots=True)
class _Made:
    """Everything that follows from prices but the choice of places."""

    constant: float
    prices: dict[int, tuple[Node, Array]]
    lines: dict[int, Line] = field(default_factory=dict)
    at: Prices = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Dual:
    """Everything that stays the same while prices change."""

    places: Places
    form: Separable
    curved: list[_Curved]
    rows: list[tuple[Block, Array]]
    pins: Sequence[tuple[Separable, float]]
    held: dict[int, Array]
    allowed: npt.NDArray[np.bool_] | None

    @classmethod
    def of(
        cls,
        graph: Graph,
        places: Places,
        form: Separable,
        rows: Sequence[tuple[Inner, Array]],
        pins: Sequence[tuple[Separable, float]],
        assignment: Ints,
        allowed: npt.NDArray[np.bool_] | None,
    ) -> Dual:
        """`rows`: linear limits and allowances; `pins`: earlier tiers and what they are at most."""
        evaluator = Evaluator(graph, assignment)
        curved = []
        for part in form.parts:
            low, high = (x[part.cells] for x in part.inner.range())
            block = block_of(part.inner, part.cells, evaluator, [part.weight, high, *part.parameters()])
            lifting = Lifting.of(places, part, rows)
            curved.append(_Curved(part, block, low, high, lattice_of(part), lifting))
        limits = []
        for inner, allowance in rows:
            cells = np.flatnonzero(inner.range()[1] > allowance)
            if cells.size:
                limits.append((block_of(inner, cells, evaluator, [allowance[cells]]), allowance[cells]))
        leaves = {i: node for i, (node, _) in form.linear.items()}
        for block in (*(c.block for c in curved), *(b for b, _ in limits)):
            leaves.update((leaf.index, leaf) for leaf, _ in block.inner.leaves)
        for pin, _ in pins:
            leaves.update((i, node) for i, (node, _) in pin.linear.items())
        held = {}
        for i, node in leaves.items():
            assert isinstance(node.op, Usage)
            held[i] = places.weights(node.op)
        return cls(places, form, curved, limits, pins, held, allowed)

    @property
    def blocks(self) -> list[Block]:
        """Those of the parts and limits."""
        return [*(c.block for c in self.curved), *(b for b, _ in self.rows)]

    def starts(self) -> Iterator[Prices]:
        """Prices to begin with: slopes at the known assignment, as they are and evened out."""
        none = [np.zeros(b.cells.size) for b, _ in self.rows]
        own = [slopes(c.part, c.block.now) for c in self.curved]
        even = [slopes(c.part, c.block.averaged(c.block.now)) for c in self.curved]
        middle = [levelled(c.block, s) for c, s in zip(self.curved, own, strict=True)]
        kinds = (even, own, middle) if self.curved else (even,)
        if not self.pins:
            for made in kinds:
                yield [*made, *none]
            return
        # time may end after a few: earlier tiers are dear as a rule, and levelled slopes best beside them
        for worth in (10.0, 1.0, 0.0):
            for made in kinds[::-1]:
                yield [*made, *none, *self._worth(made, worth)]

    def _worth(self, made: Prices, worth: float) -> Prices:
        """Prices of the pins at which they weigh `worth` times as much as the rest."""
        total = sum(float(np.abs(s * c.block.now).sum()) for s, c in zip(made, self.curved, strict=True))
        return [np.array([worth * max(total, 1.0) / self._pin_scale(k)]) for k in range(len(self.pins))]

    def _pin_scale(self, k: int) -> float:
        pin, limit = self.pins[k]
        return max(abs(limit - pin.constant), 1.0)

    def _made(self, at: Prices) -> _Made:
        out = _Made(self.form.constant, {i: (n, p.copy()) for i, (n, p) in self.form.linear.items()})
        for k, c in enumerate(self.curved):
            touch = touching(c.part, at[k], c.low, c.high, c.step)
            out.at.append(touch.at)
            out.constant += float((touch.height - at[k] * touch.at).sum())
            self._spread(out, c.block, at[k])
            if c.lifting is not None:
                out.lines[k] = c.lifting.line(at[k], touch)
        for (block, allowance), price in zip(self.rows, at[len(self.curved) :], strict=False):
            self._spread(out, block, price)
            out.constant -= float(price @ allowance)
        for (pin, limit), price in zip(self.pins, at[len(self.curved) + len(self.rows) :], strict=True):
            out.constant += float(price[0]) * (pin.constant - limit)
            for node, slope in pin.linear.values():
                _add(out.prices, node, slope * price[0])
        return out

    @staticmethod
    def _spread(out: _Made, block: Block, price: Array) -> None:
        """From prices of amounts to prices of the leaves they are made of."""
        out.constant += float(price @ block.inner.constant[block.cells])
        for leaf, coefficient in block.inner.leaves:
            by_cell = np.zeros(leaf.axis.size)
            by_cell[block.cells] = price * coefficient[block.cells]
            _add(out.prices, leaf, by_cell)

    def _costs(self, rows: slice, made: _Made) -> tuple[Array, dict[int, Array]]:
        """Costs of the classes `rows` in every place, and what lifting takes from their amounts, by part."""
        lifts, shifts = [], {}
        for k, line in made.lines.items():
            high, shift = line.additions(rows)
            if high.any():
                lifts.append((line.lifting.node, high))
                shifts[k] = shift
        return self.places.costs(rows, made.prices, self.held, lifts, self.allowed), shifts

    def value(self, at: Prices, clock: Clock) -> Value | None:
        """The bound at prices `at`; None when the clock stopped before it was known."""
        made = self._made(at)
        size = self.places.classes.size.astype(np.float64)
        bound = made.constant
        used = {i: np.zeros(node.axis.size) for i, (node, _) in made.prices.items()}
        missing = {
            k: np.zeros(c.part.inner.leaves[0][0].axis.size) for k, c in enumerate(self.curved) if c.lifting
        }
        for rows in self.places.chunks():
            if clock.stopped:
                return None
            costs, shifts = self._costs(rows, made)
            least = costs.min(axis=1)
            bound += float(least @ size[rows])
            scale = float(np.abs(least).max(initial=1.0))
            share = (costs <= (least + EQUAL * scale)[:, None]).astype(np.float64)
            share *= (size[rows] / share.sum(axis=1))[:, None]
            amounts = self.places.amounts(rows, share, self.held, made.prices, shifts, self.curved_leaf)
            for i, amount in amounts[0].items():
                used[i] += amount
            for k, amount in amounts[1].items():
                missing[k] += amount
        return Value(bound, self._slope(made, used, missing))

    def curved_leaf(self, k: int) -> Usage:
        """The one leaf of a lifted part."""
        op = self.curved[k].part.inner.leaves[0][0].op
        assert isinstance(op, Usage)
        return op

    def _slope(self, made: _Made, used: dict[int, Array], missing: dict[int, Array]) -> Prices:
        out = []
        for k, c in enumerate(self.curved):
            amount = c.block.amounts(used, missing.get(k))
            out.append(amount - made.at[k])
        for block, allowance in self.rows:
            out.append(block.amounts(used, None) - allowance)
        for pin, limit in self.pins:
            at = sum(float(slope @ used[node.index]) for node, slope in pin.linear.values())
            out.append(np.array([at + pin.constant - limit]))
        return out

    def step(self, at: Prices, slope: Prices, distance: float, *, tied: bool) -> Prices | None:
        """Prices further along `slope`, so that the linear model of the bound rises by `distance`."""
        scales = [b.scale for b in self.blocks] + [self._pin_scale(k) for k in range(len(self.pins))]
        along = [b.averaged(s) if tied else s for b, s in zip(self.blocks, slope, strict=False)]
        along += slope[len(self.blocks) :]
        first_limit = len(self.curved)
        # where a price of a limit is 0 and should fall, it stays
        along = [
            np.where((p <= 0) & (s < 0), 0.0, s) if k >= first_limit else s
            for k, (p, s) in enumerate(zip(at, along, strict=True))
        ]
        square = sum(float(((s / x) ** 2).sum()) for s, x in zip(along, scales, strict=True))
        if square <= 0:
            return None
        out = [p + (distance / square) * s / x**2 for p, s, x in zip(at, along, scales, strict=True)]
        for k, c in enumerate(self.curved):
            out[k] = np.clip(out[k], slopes(c.part, c.low), slopes(c.part, c.high))
        return [*out[:first_limit], *(np.maximum(p, 0.0) for p in out[first_limit:])]

    def reduced(self, at: Prices, clock: Clock) -> Array | None:
        """float64[classes, places]: by how much the bound rises when an object of a class is in a place."""
        made, (n, width) = self._made(at), self.places.shape
        out = np.empty((n, width))
        for rows in self.places.chunks():
            if clock.stopped:
                return None
            costs, _ = self._costs(rows, made)
            out[rows] = costs - costs.min(axis=1)[:, None]
        return out


def _add(prices: dict[int, tuple[Node, Array]], node: Node, price: Array) -> None:
    known = prices.get(node.index)
    prices[node.index] = (node, price if known is None else known[1] + price)
