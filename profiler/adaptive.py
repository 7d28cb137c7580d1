"""Which point of a space to measure next: where interpolation is expected to be worst for its cost.

First come seeds, spread as far from each other as possible, beginning with the smallest job (so that
nothing slow is tried before its time can be foreseen). Then every candidate gets an expected error: the
leave-one-out residuals of the measured points near it, per octave of distance to their neighbours, times
the candidate's own distance to the nearest measured point. The candidate with the most expected error per
square root of expected cost is next.

Residuals of single points are noisy, so two thirds of the slope are the median of the whole space: on
public H200 tables trusting local residuals alone was worse than measuring evenly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.profiles.accuracy import inner_errors
from models.profiles.columns import FloatArray
from models.profiles.groups import build_group
from models.profiles.reference import fit_reference
from models.profiles.table import OperationTable
from profiler.space import Space

__all__ = ["Frontier", "Limits", "most_urgent"]

_LOCAL_SHARE = 1 / 3
_REPEATS_A_POINT = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is too much for one point.

    Parameters
    ----------
    call_seconds
        Jobs expected to take longer are left out.
    bytes
        Jobs that touch more are left out.
    """

    call_seconds: float
    bytes: float

    @classmethod
    def of_budget(cls, budget_seconds: float, free_bytes: float) -> Limits:
        """A call may take a thousandth of the budget, within 5 and 250 ms, and touch two fifths of the
        memory.
        """
        call = min(0.25, max(0.005, budget_seconds / 1000))
        return cls(call_seconds=call, bytes=0.4 * free_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """Leave-one-out error with so many points, and what it predicts per octave for every candidate."""

    points: int
    error: float
    error_per_octave: FloatArray


class Frontier:
    """The measured and the remaining candidates of one space.

    Parameters
    ----------
    space
        The candidates.
    limits
        Candidates beyond them are never proposed.
    """

    def __init__(self, space: Space, limits: Limits) -> None:
        self.space = space
        self.limits = limits
        self._coordinates = space.coordinates()
        self._flop, self._bytes = space.work()
        self._open = self._bytes <= limits.bytes
        self._rows: list[int] = []
        self._values: list[float] = []
        self._costs: list[float] = []
        self._fitted: _Fit | None = None
        self._proposal: tuple[int | None] | None = None
        self._distance = np.full(len(space), np.inf)
        dimensions = int(np.count_nonzero(np.ptp(self._coordinates, axis=0) > 0)) if len(space) else 0
        self.seeds = min(int(self._open.sum()), 2 * dimensions + 4)

    @property
    def measured(self) -> int:
        """Points measured."""
        return len(self._rows)

    @property
    def mean_cost_seconds(self) -> float:
        """Mean wall time a point has taken; 0.1 s before the first."""
        return float(np.mean(self._costs)) if self._costs else 0.1

    def find(self, axes: FloatArray) -> int | None:
        """Row of the candidate with these axis values, float64[axes]; None when it is no candidate."""
        hit = np.flatnonzero(np.all(np.abs(self.space.candidates - axes) <= 1e-9 * np.abs(axes), axis=1))
        return int(hit[0]) if hit.size else None

    def add(self, row: int, value: float, cost_seconds: float) -> None:
        """Record a measured candidate."""
        self._rows.append(row)
        self._values.append(value)
        self._costs.append(cost_seconds)
        self._close(row)

    def refuse(self, row: int) -> None:
        """Never propose this candidate again; it counts as no measurement."""
        self._open[row] = False
        self._proposal = None
        self.seeds = min(self.seeds, int(self._open.sum()) + self.measured)

    def _close(self, row: int) -> None:
        self._open[row] = False
        away = np.linalg.norm(self._coordinates - self._coordinates[row], axis=1)
        self._distance = np.minimum(self._distance, away)
        self._proposal = None

    @property
    def error(self) -> float:
        """Mean absolute leave-one-out error; infinite until there are seeds enough to tell."""
        return math.inf if self._seeding else self._fit().error

    def final_error(self) -> float:
        """The same over however many points there are; NaN when that is too few to tell."""
        if self.measured < 4:
            return math.nan
        self._fitted = None
        error = self._fit().error
        return error if math.isfinite(error) else math.nan

    @property
    def _seeding(self) -> bool:
        return self.measured < max(self.seeds, 4)

    def _fit(self) -> _Fit:
        """What the points say; up to a twelfth of them may be newer, for refitting costs time too."""
        if self._fitted is None or self.measured > self._fitted.points + self._fitted.points // 12:
            self._fitted = self._refit()
        return self._fitted

    def _refit(self) -> _Fit:
        rows = np.array(self._rows, dtype=np.int64)
        columns = dict(self.space.columns(rows))
        columns[self.space.schema.value] = np.array(self._values)
        table = OperationTable.build(self.space.operation, columns)
        group = build_group(dict(self.space.labels), table)
        inner = np.abs(inner_errors(group))
        known = inner[np.isfinite(inner)]
        return _Fit(
            points=self.measured,
            error=float(known.mean()) if known.size else math.inf,
            error_per_octave=self._error_per_octave(rows, np.abs(group.leave_one_out())),
        )

    def propose(self) -> int | None:
        """Row to measure next; None when nothing is left within the limits."""
        if self._proposal is None:
            self._proposal = (self._best(),)
        return self._proposal[0]

    def _best(self) -> int | None:
        expected = self._expected_seconds()
        allowed = self._open & (expected <= self.limits.call_seconds)
        if not allowed.any():
            return None
        if not self._rows:
            size = self._relative_size()
            return int(np.flatnonzero(allowed)[np.argmin(size[allowed])])
        if self._seeding:
            score = self._distance.copy()
        else:
            cost = expected * _REPEATS_A_POINT + 0.25 * self.mean_cost_seconds
            score = self._fit().error_per_octave * self._distance / np.sqrt(cost)
        score[~allowed] = -np.inf
        return int(np.argmax(score))

    def _relative_size(self) -> FloatArray:
        """Work in arbitrary units: 50 FLOP are taken to cost as much as a byte."""
        size = self._flop / 50 + self._bytes
        return size if size.any() else np.ones(len(self.space))

    def _expected_seconds(self) -> FloatArray:
        """Expected time of one call of every candidate; zero before anything is known, and for non-times."""
        if not self._rows or self.space.schema.value != "latency_us":
            return np.zeros(len(self.space))
        rows, values = np.array(self._rows), np.array(self._values)
        if len(rows) >= 4:
            reference = fit_reference(self._flop[rows], self._bytes[rows], values)
            return reference.latency_us(self._flop, self._bytes) * 1e-6
        size = self._relative_size()
        largest = rows[np.argmax(size[rows])]
        return np.asarray(values.max() * size / size[largest] * 1e-6, dtype=np.float64)

    def _error_per_octave(self, rows: NDArray[np.int64], residual: FloatArray) -> FloatArray:
        """Expected error of every candidate per octave from the nearest measured point, float64[n]."""
        from scipy.spatial import cKDTree

        points = self._coordinates[rows]
        tree = cKDTree(points)
        to_neighbour = np.asarray(tree.query(points, 2)[0])[:, 1]
        slope = residual / np.maximum(to_neighbour, 1e-6)
        slope = _LOCAL_SHARE * slope + (1 - _LOCAL_SHARE) * np.median(slope)
        away, near = tree.query(self._coordinates, min(6, len(rows)))
        weight = 1.0 / np.maximum(away, 1e-6) ** 2
        return np.asarray((slope[near] * weight).sum(axis=1) / weight.sum(axis=1), dtype=np.float64)


def most_urgent(frontiers: Sequence[Frontier], tolerance: float) -> tuple[int, int] | None:
    """(frontier, candidate) to measure next; None when every space is good enough or used up.

    All spaces get their seeds before any is refined, one point each in turn. Then comes the space with
    the most error above the tolerance, per square root of what a point costs and of the points it has:
    the gain of a further point shrinks with those already there.
    """
    best: tuple[float, int, int] | None = None
    for number, frontier in enumerate(frontiers):
        error = frontier.error
        if error <= tolerance:
            continue
        row = frontier.propose()
        if row is None:
            continue
        if math.isinf(error):
            score = 1e9 - frontier.measured
        else:
            score = (error - tolerance) / math.sqrt(frontier.mean_cost_seconds * frontier.measured)
        if best is None or score > best[0]:
            best = (score, number, row)
    return None if best is None else best[1:]
