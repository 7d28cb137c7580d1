"""Points of a table that agree in every category column: the unit of interpolation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.profiles.columns import Columns, FloatArray
from models.profiles.reference import Reference, fit_reference
from models.profiles.scattered import ScatteredInterpolant
from models.profiles.schema import OperationSchema
from models.profiles.table import OperationTable

__all__ = ["FEWEST_POINTS", "Group", "build_group", "coordinates_of", "split_groups"]

FEWEST_POINTS = 3
"""Groups with fewer points answer only for exactly those points."""

_ROUGHNESS_SAMPLE = 400


@dataclass(frozen=True)  # no slots: cached_property needs a __dict__
class Group:
    """One group of points, ready to be interpolated.

    Parameters
    ----------
    labels
        Category column → its value in this group.
    coordinates
        float64[n, axes], in octaves.
    reference, log_ratio
        The fitted roofline, and log(latency ÷ reference) over the coordinates; both None when the group
        has fewer than `FEWEST_POINTS` points or the operation has no work model.
    maximal, minimal
        Points that no other point exceeds (undercuts) on every axis: the corners of the measured range.
    """

    labels: dict[str, str]
    table: OperationTable
    coordinates: FloatArray
    reference: Reference | None
    log_ratio: ScatteredInterpolant | None
    maximal: FloatArray
    minimal: FloatArray

    def leave_one_out(self, rows: NDArray[np.int64] | None = None) -> FloatArray:
        """Relative error of points (all by default) predicted from the others; NaN with too few points."""
        if self.log_ratio is None:
            return np.full(len(self.table) if rows is None else len(rows), np.nan)
        return np.asarray(np.expm1(self.log_ratio.leave_one_out(rows)), dtype=np.float64)

    @cached_property
    def _roughness(self) -> tuple[FloatArray, Any]:
        from scipy.spatial import cKDTree

        stride = max(1, len(self.table) // _ROUGHNESS_SAMPLE)
        sample = np.arange(0, len(self.table), stride, dtype=np.int64)
        return np.abs(self.leave_one_out(sample)), cKDTree(self.coordinates[sample])

    def local_error(self, queries: FloatArray) -> FloatArray:
        """Typical absolute leave-one-out error near queries float64[q, axes]: inverse-distance mean of 8."""
        residual, places = self._roughness
        count = min(8, len(residual))
        distance, index = places.query(queries, count)
        distance = np.reshape(distance, (len(queries), count))
        weight = 1.0 / np.maximum(distance, 1e-9)
        near = residual[np.reshape(index, (len(queries), count))]
        return np.asarray((near * weight).sum(axis=1) / weight.sum(axis=1), dtype=np.float64)

    def brackets(self, queries: FloatArray) -> NDArray[np.bool_]:
        """Whether a measured point is at least as large on every axis, and another at least as small."""
        slack = 1e-9
        above = np.any(np.all(self.maximal[None] >= queries[:, None] - slack, axis=2), axis=1)
        below = np.any(np.all(self.minimal[None] <= queries[:, None] + slack, axis=2), axis=1)
        return np.asarray(above & below)

    def find(self, queries: FloatArray) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which queries are measured points, and the nearest point of each."""
        gap = np.abs(self.coordinates[None] - queries[:, None]).max(axis=2)
        return np.asarray(gap.min(axis=1) < 1e-9), gap.argmin(axis=1).astype(np.int64)


def coordinates_of(schema: OperationSchema, columns: Columns) -> FloatArray:
    """Octaves on every axis, float64[n, axes]."""
    if not schema.axes:
        return np.zeros((len(columns[schema.keys[0].name]), 0))
    return np.stack([a.coordinate(columns[a.name]) for a in schema.axes], axis=1)


def split_groups(table: OperationTable) -> dict[tuple[str, ...], Group]:
    """The groups of a table by their category values (in column order), sorted."""
    names = [c.name for c in table.schema.categories]
    # Integer codes: comparing text columns row by row is many times slower.
    levels = [np.unique(table[n], return_inverse=True) for n in names]
    distinct, member = np.unique(np.stack([codes for _, codes in levels]), axis=1, return_inverse=True)
    groups: dict[tuple[str, ...], Group] = {}
    for number in range(distinct.shape[1]):
        labels = tuple(str(levels[i][0][code]) for i, code in enumerate(distinct[:, number]))
        rows = np.flatnonzero(member.ravel() == number).astype(np.int64)
        groups[labels] = build_group(dict(zip(names, labels, strict=True)), table.take(rows))
    return groups


def build_group(labels: dict[str, str], table: OperationTable) -> Group:
    """Fit the reference and prepare the interpolation of one group's points."""
    schema = table.schema
    coordinates = coordinates_of(schema, table.columns)
    maximal, minimal = _pareto(coordinates), -_pareto(-coordinates)
    if schema.work is None or not schema.axes or len(table) < FEWEST_POINTS:
        return Group(labels, table, coordinates, None, None, maximal, minimal)
    flop, traffic = schema.work(table.columns)
    reference = fit_reference(flop, traffic, table.value)
    log_ratio = np.log(table.value / reference.latency_us(flop, traffic))
    return Group(
        labels, table, coordinates, reference, ScatteredInterpolant(coordinates, log_ratio), maximal, minimal
    )


def _pareto(points: FloatArray) -> FloatArray:
    """Points that no other point exceeds or equals on every axis, float64[p, d]."""
    if points.shape[1] == 0:
        return points[:1]
    rest = np.unique(points, axis=0)[::-1]
    front: list[FloatArray] = []
    while len(rest):
        # In descending lexicographic order the first of what is left is never dominated.
        best = rest[0]
        front.append(best)
        rest = rest[~np.all(rest <= best, axis=1)]
    return np.stack(front)
