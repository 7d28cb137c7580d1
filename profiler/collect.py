"""Journal entries ↔ operation tables."""

from __future__ import annotations

import numpy as np

from models.profiles.store import Profile
from models.profiles.table import OperationTable
from profiler.job import Point
from profiler.journal import Entry

__all__ = ["entries_of", "point_key", "tables_of"]


def point_key(operation: str, point: Point) -> tuple[str, tuple[tuple[str, str | float], ...]]:
    """What identifies a point."""
    return operation, tuple(sorted(point.items()))


def tables_of(entries: list[Entry]) -> dict[str, OperationTable]:
    """Tables of the points that have a value; of a point measured twice the later counts."""
    latest = {point_key(e.operation, e.point): e for e in entries if not e.refused}
    by_operation: dict[str, list[Entry]] = {}
    for entry in latest.values():
        by_operation.setdefault(entry.operation, []).append(entry)
    tables = {}
    for name, rows in sorted(by_operation.items()):
        columns: dict[str, object] = {key: [r.point[key] for r in rows] for key in rows[0].point}
        value = "power_watts" if name == "power" else "latency_us"
        columns[value] = [r.value for r in rows]
        columns[f"p10_{value}"] = [r.p10 for r in rows]
        columns[f"p90_{value}"] = [r.p90 for r in rows]
        for field in ("samples", "contended", "sm_clock_mhz", "temperature_c", "kernel"):
            columns[field] = [getattr(r, field) for r in rows]
        tables[name] = OperationTable.build(name, columns)
    return tables


def entries_of(profile: Profile) -> list[Entry]:
    """The points of a profile as journal entries, so that a finished run can be continued."""
    entries = []
    for table in profile.tables():
        value = table.schema.value
        numbers = {
            c: table.numbers(c) for c in (f"p10_{value}", f"p90_{value}", "sm_clock_mhz", "temperature_c")
        }
        texts = {c.name: table[c.name].tolist() for c in table.schema.categories}
        axes = {a.name: table.numbers(a.name) for a in table.schema.axes}
        for row in range(len(table)):
            point: Point = {name: column[row] for name, column in texts.items()}
            point |= {name: float(column[row]) for name, column in axes.items()}
            entries.append(
                Entry(
                    operation=table.schema.name,
                    point=point,
                    value=float(table.value[row]),
                    p10=float(numbers[f"p10_{value}"][row]),
                    p90=float(numbers[f"p90_{value}"][row]),
                    samples=int(table.numbers("samples")[row]),
                    contended=bool(np.asarray(table["contended"])[row]),
                    sm_clock_mhz=float(numbers["sm_clock_mhz"][row]),
                    temperature_c=float(numbers["temperature_c"][row]),
                    kernel=str(table["kernel"][row]),
                    cost_seconds=0.1,
                )
            )
    return entries
