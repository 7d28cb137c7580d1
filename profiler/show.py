"""Profiles for people: what is in one, how good it is, and two side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.profiles.groups import Group, split_groups
from models.profiles.interpolate import Basis, Interpolator
from models.profiles.store import Profile
from models.profiles.table import OperationTable
from models.profiles.validate import Validation

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Difference", "compare_profiles", "print_comparison", "print_profile", "print_validation"]


def print_profile(profile: Profile, console: Console) -> None:
    """Provenance, then one line a group of points: sizes, rates, noise, interpolation error."""
    from rich.table import Table

    m = profile.manifest
    console.print(f"{m.name}: {m.device.name}, {m.basis}, {m.created}", highlight=False)
    console.print(f"source: {m.source}; licence: {m.licence}", highlight=False)
    software = ", ".join(f"{name} {version}" for name, version in m.libraries.items())
    driver = f"driver {m.device.driver}" if m.device.driver else ""
    console.print(
        ", ".join(part for part in (driver, software) if part) or "software unknown", highlight=False
    )
    table = Table(box=None, pad_edge=False)
    for column in ("operation", "of", "points", "fastest", "slowest", "reaches", "noise", "error"):
        table.add_column(column, justify="left" if column in {"operation", "of"} else "right")
    for operation in profile.tables():
        for labels, group in split_groups(operation).items():
            table.add_row(operation.schema.name, " ".join(labels), *_numbers(group))
    console.print(table)


def _numbers(group: Group) -> tuple[str, ...]:
    values = group.table.value
    spread = group.table.relative_spread
    known = spread[np.isfinite(spread)]
    error = np.abs(group.leave_one_out())
    error = error[np.isfinite(error)]
    return (
        str(len(group.table)),
        _quantity(values.min(), group.table),
        _quantity(values.max(), group.table),
        _rates(group),
        f"{np.median(known):.0%}" if known.size else "–",
        f"{np.median(error):.0%}" if error.size else "–",
    )


def _quantity(value: float, table: OperationTable) -> str:
    if table.schema.value == "power_watts":
        return f"{value:.0f} W"
    for limit, scale, unit in ((1e3, 1.0, "µs"), (1e6, 1e3, "ms")):
        if value < limit:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e6:.3g} s"


def _rates(group: Group) -> str:
    """Fitted arithmetic and traffic rates, where the operation has such and they limit it."""
    reference = group.reference
    if reference is None or group.table.schema.name in {"launch", "sm_share"}:
        return "–"
    parts = []
    if math.isfinite(reference.tflops):
        parts.append(f"{reference.tflops:.3g} TFLOP/s")
    if math.isfinite(reference.gigabytes_per_second):
        parts.append(f"{reference.gigabytes_per_second:.3g} GB/s")
    return " ".join(parts)


def print_validation(validation: Validation, console: Console) -> None:
    """Leave-one-out error of each table, its worst point, and the warnings."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("operation", "points", "groups", "median", "mean", "p90", "worst", "noise", "worst point"):
        table.add_column(column, justify="left" if column in {"operation", "worst point"} else "right")
    for a in validation.accuracy:
        worst = ", ".join(f"{k}={v:g}" if isinstance(v, float) else v for k, v in a.worst_point.items())
        shares = (a.median, a.mean, a.p90, a.worst, a.noise)
        cells = ["–" if math.isnan(s) else f"{s:.1%}" for s in shares]
        table.add_row(a.operation, str(a.points), str(a.groups), *cells, worst)
    console.print(f"{validation.manifest.name}: every file is whole; leave-one-out error:", highlight=False)
    console.print(table)
    for warning in validation.warnings:
        console.print(f"warning: {warning}", highlight=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How the second profile's values compare with the first's, for one group.

    Parameters
    ----------
    points
        Points of the first that the second could answer within its measured range.
    median, p10, p90
        Of second ÷ first.
    """

    operation: str
    group: str
    points: int
    median: float
    p10: float
    p90: float


def compare_profiles(first: Profile, second: Profile) -> list[Difference]:
    """Ask the second profile for every point of the first.

    The same software (the ``library`` column) answers where the second has it, else the
    alphabetically last one.
    """
    out = []
    for name in first.operations:
        if name not in second:
            continue
        answers = Interpolator(second.table(name))
        libraries: dict[tuple[str, ...], str] = {}
        for labels, group in answers.groups.items():
            libraries[tuple(v for k, v in group.labels.items() if k != "library")] = labels[0]
        for group in split_groups(first.table(name)).values():
            rest = tuple(v for k, v in group.labels.items() if k != "library")
            mine = group.labels["library"]
            library = mine if tuple(group.labels.values()) in answers.groups else libraries.get(rest)
            if library is None:
                continue
            queries = {k.name: group.table[k.name] for k in group.table.schema.keys}
            queries["library"] = np.full(len(group.table), library)
            found = answers.estimate(queries)
            inside = found.basis <= Basis.INTERPOLATED
            if not inside.any():
                continue
            ratio = found.value[inside] / group.table.value[inside]
            p10, median, p90 = (float(q) for q in np.quantile(ratio, (0.1, 0.5, 0.9)))
            out.append(
                Difference(
                    operation=name,
                    group=" ".join((mine if library == mine else f"{mine} | {library}", *rest)),
                    points=int(inside.sum()),
                    median=median,
                    p10=p10,
                    p90=p90,
                )
            )
    return out


def print_comparison(first: Profile, second: Profile, console: Console) -> None:
    """One line a group: how many points both cover, and the second's time relative to the first's."""
    from rich.table import Table

    a, b = first.manifest, second.manifest
    console.print(f"A: {a.name} ({a.device.name}, {a.basis}, {a.created})", highlight=False)
    console.print(f"B: {b.name} ({b.device.name}, {b.basis}, {b.created})", highlight=False)
    differences = compare_profiles(first, second)
    if not differences:
        console.print("no operation and number format was measured in both over the same range")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("operation", "of", "points", "B ÷ A", "p10", "p90"):
        table.add_column(column, justify="left" if column in {"operation", "of"} else "right")
    for d in differences:
        table.add_row(d.operation, d.group, str(d.points), f"{d.median:.2f}", f"{d.p10:.2f}", f"{d.p90:.2f}")
    console.print(table)
