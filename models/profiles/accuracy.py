"""How well a table interpolates: the error of every point when predicted from all others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.profiles.columns import FloatArray
from models.profiles.groups import Group, split_groups
from models.profiles.table import OperationTable

__all__ = ["TableAccuracy", "inner_errors", "table_accuracy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableAccuracy:
    """Leave-one-out relative errors of one table.

    Parameters
    ----------
    points
        Rows of the table.
    tested
        Rows that could be left out: those still inside the measured range of the others, in groups with
        enough points.
    median, mean, p90, worst
        Of the absolute relative errors; NaN when nothing could be tested.
    worst_point
        Key columns of the worst row.
    noise
        Median of (p90 - p10) / median over the repeats of a point: no interpolation does better. NaN when
        unknown.
    """

    operation: str
    points: int
    groups: int
    tested: int
    median: float
    mean: float
    p90: float
    worst: float
    worst_point: dict[str, str | float]
    noise: float


def inner_errors(group: Group) -> FloatArray:
    """Leave-one-out errors of a group's points, float64[n]; NaN at the corners of the range.

    Leaving out a corner asks for extrapolation, which no query inside the range ever does.
    """
    errors = group.leave_one_out()
    corner = np.zeros(len(errors), dtype=bool)
    for corners in (group.maximal, group.minimal):
        for row in corners:
            corner |= np.all(np.abs(group.coordinates - row) < 1e-9, axis=1)
    return np.where(corner, np.nan, errors)


def table_accuracy(table: OperationTable, *, enough: Callable[[], bool] = lambda: False) -> TableAccuracy:
    """Leave every point out once, group by group; no point counts as tested once `enough` turns true."""
    groups = split_groups(table)
    errors: list[FloatArray] = []
    worst, worst_point = np.nan, dict[str, str | float]()
    for group in groups.values():
        if enough():  # the groups so far are no sample of all
            errors, worst = [], np.nan
            worst_point.clear()
            break
        found = np.abs(inner_errors(group))
        tested = found[np.isfinite(found)]
        errors.append(tested)
        if tested.size and not tested.max() <= worst:
            worst = float(tested.max())
            row = int(np.nanargmax(found))
            worst_point = {k.name: _plain(group.table[k.name][row]) for k in table.schema.keys}
    every = np.concatenate(errors) if errors else np.zeros(0)
    spread = table.relative_spread
    known = spread[np.isfinite(spread)]
    some = every.size > 0
    return TableAccuracy(
        operation=table.schema.name,
        points=len(table),
        groups=len(groups),
        tested=int(every.size),
        median=float(np.median(every)) if some else np.nan,
        mean=float(every.mean()) if some else np.nan,
        p90=float(np.quantile(every, 0.9)) if some else np.nan,
        worst=worst,
        worst_point=worst_point,
        noise=float(np.median(known)) if known.size else np.nan,
    )


def _plain(value: np.generic) -> str | float:
    item = value.item()
    return item if isinstance(item, str) else float(item)
