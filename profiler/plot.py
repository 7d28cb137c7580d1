"""Pictures of a profile: rooflines and latency against size, one panel an operation."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import Unavailable
from models.profiles.groups import Group, split_groups
from models.profiles.store import Profile

__all__ = ["plot_profile"]

_COLUMNS = 3


def plot_profile(profile: Profile, path: Path) -> None:
    """Write a picture (format by the file's ending).

    Operations with arithmetic show the rate reached over the arithmetic intensity, with the fitted roofline;
    the others show latency over their largest axis.

    Raises
    ------
    Unavailable
        Matplotlib is not installed.
    """
    try:
        matplotlib: Any = importlib.import_module("matplotlib")
    except ImportError as error:
        raise Unavailable("plots need Matplotlib: `pip install 'fulcrum-planner[plot]'`") from error
    matplotlib.use("Agg")
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    tables = [t for t in profile.tables() if t.schema.axes]
    rows = math.ceil(len(tables) / _COLUMNS)
    figure, axes = pyplot.subplots(
        rows, _COLUMNS, figsize=(5 * _COLUMNS, 3.6 * rows), squeeze=False, layout="constrained"
    )
    for panel, table in zip(axes.ravel(), tables, strict=False):
        panel.set_title(table.schema.name)
        for group in split_groups(table).values():
            label = " ".join(v for k, v in group.labels.items() if k != "library")
            if _has_roofline(group):
                _roofline(panel, group, label)
            else:
                _latency(panel, group, label)
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.legend(fontsize=6)
    for panel in axes.ravel()[len(tables) :]:
        panel.set_visible(False)
    m = profile.manifest
    figure.suptitle(f"{m.name}: {m.device.name}, {m.basis}, {m.created}")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _has_roofline(group: Group) -> bool:
    names = {"gemm", "bmm", "attention_prefill", "moe"}
    return group.table.schema.name in names and group.reference is not None


def _roofline(panel: Any, group: Group, label: str) -> None:
    assert group.table.schema.work is not None
    assert group.reference is not None
    flop, traffic = group.table.schema.work(group.table.columns)
    intensity = flop / traffic
    points = panel.scatter(intensity, flop / group.table.value * 1e-6, s=6, label=label)
    x = np.geomspace(intensity.min(), intensity.max(), 100)
    per_flop = group.reference.us_per_flop + group.reference.us_per_byte / x
    positive = per_flop > 0
    panel.plot(x[positive], 1e-6 / per_flop[positive], color=points.get_facecolor()[0], linewidth=1)
    panel.set_xlabel("FLOP per byte")
    panel.set_ylabel("TFLOP/s")


def _latency(panel: Any, group: Group, label: str) -> None:
    # The axis that spans the most octaves says most about a group.
    spans = [np.ptp(group.coordinates[:, i]) for i in range(group.coordinates.shape[1])]
    axis = group.table.schema.axes[int(np.argmax(spans))]
    x, y = group.table.numbers(axis.name), group.table.value
    panel.scatter(np.maximum(x, 0.5), y, s=6, label=label)
    panel.set_xlabel(axis.name)
    panel.set_ylabel(group.table.schema.value)
