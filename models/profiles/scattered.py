"""Interpolation of scattered points in several dimensions by linear radial basis functions.

Through n points the interpolant is ``s(x) = c₀ - Σ cᵢ |x - xᵢ|`` with ``Σ cᵢ = 0`` (ordinary kriging with
a linear variogram): in one dimension it is piecewise linear, in several it needs no grid, adds no
overshoot, and far away it flattens towards a constant. Each query is answered from its nearest
`NEIGHBOURS` points, so the cost of a query does not grow with the table.

Leaving point i out and asking for it again gives the leave-one-out residual; it says how rough the
surface is there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.profiles.columns import FloatArray

__all__ = ["NEIGHBOURS", "ScatteredInterpolant"]

NEIGHBOURS = 16
_CHUNK = 4096


class ScatteredInterpolant:
    """Interpolates `values` known at `points`.

    Parameters
    ----------
    points
        float64[n, d], distinct rows, n ≥ 1.
    values
        float64[n].
    """

    def __init__(self, points: FloatArray, values: FloatArray) -> None:
        from scipy.spatial import cKDTree

        self.points = points
        self.values = values
        self._tree = cKDTree(points)

    def nearest(self, queries: FloatArray, count: int = 1) -> tuple[FloatArray, NDArray[np.int64]]:
        """Distances and indices of the nearest points, both [q, count], nearest first."""
        count = min(count, len(self.points))
        distance, index = self._tree.query(queries, count)
        shape = (len(queries), count)
        return np.reshape(distance, shape), np.reshape(index, shape).astype(np.int64)

    def __call__(self, queries: FloatArray) -> FloatArray:
        """Values at float64[q, d] queries, float64[q]; exact at the points themselves."""
        out = np.empty(len(queries))
        for start in range(0, len(queries), _CHUNK):
            rows = slice(start, start + _CHUNK)
            _, index = self.nearest(queries[rows], NEIGHBOURS)
            out[rows] = self._solve(queries[rows], index)
        return out

    def leave_one_out(self, rows: NDArray[np.int64] | None = None) -> FloatArray:
        """Predicted minus true value of points left out one at a time, float64[len(rows)].

        Parameters
        ----------
        rows
            Which points; all by default. A single point predicts nothing: its residual is zero.
        """
        if rows is None:
            rows = np.arange(len(self.points), dtype=np.int64)
        out = np.zeros(len(rows))
        if len(self.points) < 2:
            return out
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            _, index = self.nearest(self.points[part], NEIGHBOURS + 1)
            others = index != part[:, None]
            kept = index[others].reshape(len(part), -1)
            out[start : start + _CHUNK] = self._solve(self.points[part], kept)
        return out - self.values[rows]

    def _solve(self, queries: FloatArray, index: NDArray[np.int64]) -> FloatArray:
        """Answer each query from its own neighbours: one small linear system a query, all at once."""
        near = self.points[index]
        k = index.shape[1]
        between = np.linalg.norm(near[:, :, None] - near[:, None], axis=-1)
        system = np.zeros((len(queries), k + 1, k + 1))
        system[:, :k, :k] = -between
        system[:, :k, k] = 1.0
        system[:, k, :k] = 1.0
        right = np.zeros((len(queries), k + 1))
        right[:, :k] = self.values[index]
        weights = np.linalg.solve(system, right[..., None])[..., 0]
        to_query = np.linalg.norm(near - queries[:, None], axis=-1)
        return np.asarray(weights[:, k] - (weights[:, :k] * to_query).sum(axis=1), dtype=np.float64)
