"""Operator tables of a profile as arrays that a pass can be priced from in microseconds.

Tables are long lists of points; here they become curves and surfaces by shape: latency over tokens for each
product, expert layer, attention shape and collective. Interpolation is linear in the logarithms. Loaded once
per profile and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from models.profiles.store import Profile

__all__ = ["Curve", "LazyMap", "OperatorGrids", "ProductGrid", "Surface", "grids_of"]

Floats = npt.NDArray[np.float64]
Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Latency over one size: `x` ascending float64[n], `log_ms` float64[n]."""

    x: Floats
    log_ms: Floats

    def at(self, x: Floats, *, growth: float = 1.0) -> Floats:
        """Milliseconds; below the first size its own, beyond the last growing with the given power."""
        value = np.exp(np.interp(np.log(np.maximum(x, 1e-9)), np.log(self.x), self.log_ms))
        return np.asarray(value * np.maximum(x / self.x[-1], 1.0) ** growth)


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Latency over batch and context: `log_ms` float64[batch, context]."""

    batch: Floats
    context: Floats
    log_ms: Floats

    def at(self, batch: Floats, context: Floats) -> Floats:
        """Milliseconds at every pair, float64[batch, context]; proportional beyond the largest of either."""
        columns = np.stack([np.interp(np.log(context), np.log(self.context), row) for row in self.log_ms])
        x, known = np.log(batch), np.log(self.batch)
        value = np.exp(np.stack([np.interp(x, known, column) for column in columns.T], axis=1))
        beyond = np.maximum(batch / self.batch[-1], 1.0)[:, None]
        return np.asarray(value * beyond * np.maximum(context / self.context[-1], 1.0)[None, :])


@dataclass(frozen=True, slots=True, eq=False)
class ProductGrid:
    """Latency of products on a complete grid of weight shapes: `log_ms` float64[rows, n, k]."""

    m: Floats
    n: Floats
    k: Floats
    log_ms: Floats

    def at(self, tokens: Floats, n: float, k: float) -> Floats:
        """Milliseconds of a product at each number of rows; proportional beyond the largest sizes."""
        i, a, over_n = _place(self.n, n)
        j, b, over_k = _place(self.k, k)
        g = self.log_ms
        curve = (1 - a) * (1 - b) * g[:, i, j] + a * (1 - b) * g[:, i + 1, j]
        curve = curve + (1 - a) * b * g[:, i, j + 1] + a * b * g[:, i + 1, j + 1]
        return Curve(self.m, curve).at(tokens) * over_n * over_k


def _place(axis: Floats, value: float) -> tuple[int, float, float]:
    """Left neighbour, logarithmic weight of the right one, and the factor beyond the end of the axis."""
    inside = min(max(value, axis[0]), axis[-1])
    index = int(np.clip(np.searchsorted(axis, inside) - 1, 0, axis.size - 2))
    weight = float(np.log(inside / axis[index]) / np.log(axis[index + 1] / axis[index]))
    return index, weight, max(value / axis[-1], 1.0)


class LazyMap(Mapping[Key, Value]):
    """A mapping whose values are made when first asked for: most shapes of a table are never priced."""

    def __init__(self, makers: dict[Key, Callable[[], Value]]) -> None:
        self._makers = makers
        self._made: dict[Key, Value] = {}

    def __getitem__(self, key: Key) -> Value:
        if key not in self._made:
            self._made[key] = self._makers[key]()
        return self._made[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


@dataclass(slots=True, eq=False)
class OperatorGrids:
    """The tables of one profile, each turned into arrays when first asked for."""

    profile: Profile
    _products: dict[str, Mapping[tuple[str, str], ProductGrid]] = field(default_factory=dict)
    _curves: dict[str, dict[tuple[Any, ...], Curve]] = field(default_factory=dict)
    _surfaces: dict[str, Mapping[tuple[Any, ...], Surface]] = field(default_factory=dict)

    def products(self) -> Mapping[tuple[str, str], ProductGrid]:
        """(library, dtype) → grid of products."""
        if "gemm" not in self._products:
            self._products["gemm"] = self._read_products()
        return self._products["gemm"]

    def curves(
        self, operation: str, size: str, keys: tuple[str, ...], **only: object
    ) -> dict[tuple[Any, ...], Curve]:
        """Curves over the column `size`, by the columns `keys`, of the rows where `only` holds."""
        name = f"{operation}/{size}/{only}"
        if name not in self._curves:
            out: dict[tuple[Any, ...], Curve] = {}
            for key, rows in self._groups(operation, keys, (size,), only):
                out[key] = Curve(rows[0], np.minimum.accumulate(rows[1][::-1])[::-1])
            self._curves[name] = out
        return self._curves[name]

    def surfaces(
        self, operation: str, keys: tuple[str, ...], context: str = "kv_len"
    ) -> Mapping[tuple[Any, ...], Surface]:
        """Surfaces over batch_size and `context`, by the columns `keys`."""
        if operation not in self._surfaces:
            groups = self._groups(operation, keys, ("batch_size", context), {})
            self._surfaces[operation] = LazyMap({key: partial(_surface, *rows) for key, rows in groups})
        return self._surfaces[operation]

    def _groups(
        self, operation: str, keys: tuple[str, ...], sizes: tuple[str, ...], only: dict[str, object]
    ) -> list[tuple[tuple[Any, ...], list[Floats]]]:
        """Rows of equal keys, sorted by the sizes: (key, [size columns …, log milliseconds])."""
        if operation not in self.profile:
            return []
        table = self.profile.table(operation)
        if only:
            table = table.where(**only)
        if not len(table):
            return []
        key = table.combined(keys)
        order = np.lexsort([table.numbers(s) for s in reversed(sizes)] + [key])
        starts = np.flatnonzero(np.concatenate(([True], np.diff(key[order]) != 0)))
        stops = np.concatenate((starts[1:], [order.size]))
        columns = [table.numbers(s)[order] for s in sizes] + [np.log(table.value[order] / 1e3)]
        firsts = [table[k][order[starts]].tolist() for k in keys]
        out = []
        for start, stop, *values in zip(starts, stops, *firsts, strict=True):
            out.append((tuple(values), [column[start:stop] for column in columns]))
        return out

    def _read_products(self) -> Mapping[tuple[str, str], ProductGrid]:
        groups = self._groups("gemm", ("library", "dtype"), ("n", "k", "m"), {})
        return LazyMap(
            {
                (key[0], key[1]): partial(_products, *rows)
                for key, rows in groups
                if min(np.unique(rows[0]).size, np.unique(rows[1]).size) >= 2
            }
        )


def _products(n: Floats, k: Floats, m: Floats, log_ms: Floats) -> ProductGrid:
    """The complete grid of the products of one library and format."""
    rows, columns, depths = np.unique(m), np.unique(n), np.unique(k)
    grid = np.full((rows.size, columns.size, depths.size), np.nan)
    grid[np.searchsorted(rows, m), np.searchsorted(columns, n), np.searchsorted(depths, k)] = log_ms
    whole = _without_holes(grid, rows, columns, depths)
    # more rows never take less time: a slow spot is a timing fault, for padding would be faster
    return ProductGrid(rows, columns, depths, np.minimum.accumulate(whole[::-1], axis=0)[::-1])


def _surface(batch: Floats, context: Floats, log_ms: Floats) -> Surface:
    """A surface; rows of a batch that lack contexts take the slope of their neighbours."""
    batches, contexts = np.unique(batch), np.unique(context)
    grid = np.full((batches.size, contexts.size), np.nan)
    grid[np.searchsorted(batches, batch), np.searchsorted(contexts, context)] = log_ms
    x, y = np.log(batches), np.log(contexts)
    for i in range(batches.size):
        known = np.isfinite(grid[i])
        if known.sum() >= 2:
            grid[i] = _extended(y, y[known], grid[i, known])
    for j in range(contexts.size):
        known = np.isfinite(grid[:, j])
        if not known.all() and known.any():
            grid[:, j] = _extended(x, x[known], grid[known, j])
    return Surface(batches, contexts, grid)


def _extended(x: Floats, known: Floats, values: Floats) -> Floats:
    """Interpolated inside; outside, time proportional to size above and constant below."""
    out = np.interp(x, known, values)
    return np.asarray(np.where(x > known[-1], values[-1] + (x - known[-1]), out))


def _without_holes(grid: Floats, m: Floats, n: Floats, k: Floats) -> Floats:
    """Holes filled along rows, then columns, then depth, each by its neighbours."""
    for axis, sizes in ((0, np.log(m)), (1, np.log(n)), (2, np.log(k))):
        lines = np.moveaxis(grid, axis, -1)
        flat = lines.reshape(-1, sizes.size).copy()
        for i in np.flatnonzero(np.isnan(flat).any(axis=1)):
            known = np.isfinite(flat[i])
            if known.sum() >= 2:
                flat[i] = _extended(sizes, sizes[known], flat[i, known])
        grid = np.moveaxis(flat.reshape(lines.shape), -1, axis)
    return grid


@lru_cache(maxsize=16)
def grids_of(folder: str) -> OperatorGrids:
    """The arrays of the profile in a folder, shared by everything that prices with it."""
    from pathlib import Path

    from models.profiles.store import read_profile

    return OperatorGrids(read_profile(Path(folder)))
