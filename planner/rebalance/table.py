"""Measurements from a CSV file: for cron jobs, and for loads that Prometheus does not hold."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from models.errors import InvalidInput
from planner.rebalance.series import Measured, Series, Wanted

__all__ = ["CsvSource"]

NEEDED = ("time_s", "workload", "rate_per_s")
KNOWN = (*NEEDED, "instances", "ttft_ms", "tpot_ms")


class CsvSource:
    """A CSV file with the columns time_s (since the epoch), workload, rate_per_s, and perhaps instances,
    ttft_ms, tpot_ms; an empty cell is no measurement.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, workloads: Sequence[Wanted], *, end_s: float, length_s: float) -> Mapping[str, Measured]:
        """See `planner.rebalance.series.Source`."""
        rows = self._rows()
        names = {wanted.workload for wanted in workloads}
        unknown = sorted(set(rows) - names)
        if unknown:
            raise InvalidInput(
                f"workload {unknown[0]!r} is none of the fleet's: {', '.join(sorted(names))}",
                source=str(self.path),
            )
        return {
            wanted.workload: self._measured(wanted.workload, rows, end_s, length_s) for wanted in workloads
        }

    def _measured(
        self, name: str, rows: Mapping[str, list[dict[str, float]]], end_s: float, length_s: float
    ) -> Measured:
        mine = sorted(
            (row for row in rows.get(name, []) if end_s - length_s <= row["time_s"] <= end_s),
            key=lambda row: row["time_s"],
        )
        if not mine:
            raise InvalidInput(
                f"no row of workload {name!r} is from the last {length_s / 3600:g} h", source=str(self.path)
            )
        times = np.array([row["time_s"] for row in mine])
        if (np.diff(times) <= 0).any():
            raise InvalidInput(f"workload {name!r} has two rows of one time", source=str(self.path))

        def column(key: str) -> Series | None:
            values = np.array([row[key] for row in mine])
            return None if np.isnan(values).all() else Series(times, values)

        rate = column("rate_per_s")
        if rate is None:
            raise InvalidInput(f"workload {name!r} has no rate", source=str(self.path))
        return Measured(
            rate_per_s=rate,
            instances=column("instances"),
            ttft_ms=column("ttft_ms"),
            tpot_ms=column("tpot_ms"),
        )

    def _rows(self) -> dict[str, list[dict[str, float]]]:
        found: dict[str, list[dict[str, float]]] = {}
        try:
            with self.path.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file)
                columns = reader.fieldnames or ()
                missing = [name for name in NEEDED if name not in columns]
                odd = [name for name in columns if name not in KNOWN]
                if missing or odd:
                    raise InvalidInput(
                        f"columns must be {', '.join(NEEDED)} and perhaps {', '.join(KNOWN[3:])}; got "
                        f"{', '.join(columns) or 'none'}",
                        source=str(self.path), line=1,
                    )  # fmt: skip
                for row in reader:
                    found.setdefault(str(row["workload"]), []).append(self._numbers(row, reader.line_num))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InvalidInput(f"cannot read the measurements: {error}", source=str(self.path)) from None
        return found

    def _numbers(self, row: Mapping[str, str | None], line: int) -> dict[str, float]:
        numbers = {}
        for name in KNOWN:
            if name == "workload":
                continue
            text = row.get(name)
            try:
                numbers[name] = float(text) if text else float("nan")
            except ValueError:
                raise InvalidInput(
                    f"{name}: {text!r} is no number", source=str(self.path), line=line
                ) from None
        if not np.isfinite(numbers["time_s"]):
            raise InvalidInput("a row without a time", source=str(self.path), line=line)
        return numbers
