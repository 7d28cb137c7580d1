"""Check a profile folder: integrity first, then what a careful user would want to know before trusting it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.profiles.accuracy import TableAccuracy, table_accuracy
from models.profiles.manifest import Manifest
from models.profiles.store import read_profile
from models.profiles.table import OperationTable

__all__ = ["Validation", "validate_profile"]

_NOISY = 0.2
_ROUGH = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """A readable profile: its manifest, the error of each table, and warnings in words."""

    manifest: Manifest
    accuracy: tuple[TableAccuracy, ...]
    warnings: tuple[str, ...]


def validate_profile(folder: Path, *, enough: Callable[[], bool] = lambda: False) -> Validation:
    """Read every table, check every checksum and row, and leave every point out once.

    Parameters
    ----------
    enough
        Tables that are not done when it turns true are not tested; a warning says so of each.

    Raises
    ------
    Unavailable
        There is no profile.
    InvalidInput
        Something is damaged or cannot be a measurement.
    """
    profile = read_profile(folder, eager=True)
    accuracy, warnings = [], []
    for table in profile.tables():
        found = table_accuracy(table, enough=enough)
        accuracy.append(found)
        if not found.tested and enough():
            warnings.append(f"{found.operation}: not tested, the time was up")
            continue
        warnings += _warnings(
            table, found, measured=profile.manifest.tables[found.operation].basis == "measured"
        )
    return Validation(manifest=profile.manifest, accuracy=tuple(accuracy), warnings=tuple(warnings))


def _warnings(table: OperationTable, accuracy: TableAccuracy, *, measured: bool) -> list[str]:
    name, out = table.schema.name, []
    contended = int(np.count_nonzero(table["contended"]))
    if contended:
        out.append(f"{name}: {contended} of {len(table)} points were measured while others used the device")
    if measured:
        spread = table.relative_spread
        noisy = int(np.count_nonzero(spread > _NOISY))
        if noisy:
            out.append(
                f"{name}: {noisy} of {len(table)} points spread by more than {_NOISY:.0%} between repeats"
            )
    if accuracy.median > _ROUGH:
        out.append(f"{name}: interpolation is off by {accuracy.median:.0%} (median); measure more points")
    if table.schema.axes and accuracy.tested == 0:
        out.append(f"{name}: too few points to tell how well it interpolates")
    return out
