"""From what a run measured to a profile folder."""

from __future__ import annotations

import math
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import numpy as np

from models.errors import Unavailable, UnknownName
from models.hardware import gpu as catalogued
from models.profiles.manifest import DeviceInfo, Manifest
from models.profiles.store import write_profile
from profiler.collect import tables_of
from profiler.devices.device import Device
from profiler.journal import Entry
from profiler.run import Outcome, RunOptions

_MARKETED_GIGABYTES = (24, 40, 48, 80, 94, 96, 141, 180, 192, 288)

__all__ = ["catalogue_name", "write_outcome"]


def catalogue_name(info: DeviceInfo) -> str:
    """The GPU catalogue's name of a device, by the name and memory its driver reports; empty when not
    there.
    """
    if info.kind != "cuda":
        return ""
    plain = re.sub(r"^nvidia\s+|geforce\s+", "", info.name.lower()).strip()
    plain = re.sub(r"sxm\d", "sxm", plain)
    plain = re.sub(r"\s+(\d+gb|hbm\d\w*)\b", "", plain)  # "H100 80GB HBM3"
    gibibytes = info.memory_bytes / 1024**3
    sizes = [
        f"{s}gb"
        for s in (24, 40, 48, 80, 94, 96, 141, 180, 192, 288)
        if 0.9 * s < gibibytes * 1.0737 < 1.1 * s
    ]
    for candidate in (plain, *(f"{plain} sxm {s}" for s in sizes), *(f"{plain} {s}" for s in sizes)):
        try:
            return catalogued(candidate).name
        except UnknownName:
            continue
    return ""


def write_outcome(outcome: Outcome, device: Device, options: RunOptions, *, gpu: str = "") -> Manifest:
    """Write the profile of a run to ``options.out``, replacing an earlier one of the same device.

    Parameters
    ----------
    gpu
        Catalogue name to record, when the driver's name does not lead to it.

    Raises
    ------
    Unavailable
        Nothing could be measured.
    """
    tables = tables_of(list(outcome.entries))
    if not tables:
        reasons = "; ".join(f"{u.operation} {u.what}: {u.reason}" for u in outcome.unmeasurable[:3])
        raise Unavailable(
            f"nothing was measured, so no profile was written{': ' + reasons if reasons else ''}"
        )
    info = device.info()
    manifest = Manifest(
        name=_slug(options.out.name),
        gpu=gpu or catalogue_name(info),
        device=info,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        basis="measured",
        source=f"fulcrum profile run on {info.name} with {device.library}",
        licence="CC0-1.0",
        libraries=device.libraries(),
        clocks=_clocks(list(outcome.entries)),
        details=_details(outcome, options) | _throttling(device),
    )
    return write_profile(options.out, manifest, tables, replace_existing=options.out.exists())


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-.") or "profile"


def _clocks(entries: list[Entry]) -> dict[str, float]:
    seen = [e.sm_clock_mhz for e in entries if not math.isnan(e.sm_clock_mhz)]
    if not seen:
        return {}
    return {
        "sm_median": float(np.median(seen)),
        "sm_low": float(np.quantile(seen, 0.05)),
        "sm_high": float(np.max(seen)),
    }


def _throttling(device: Device) -> dict[str, Any]:
    look = getattr(device, "throttling", None)
    return {"clocks_held_down": look()} if look is not None else {}


def _details(outcome: Outcome, options: RunOptions) -> dict[str, Any]:
    request = options.request
    refused = Counter(f"{e.operation}: {e.refused}" for e in outcome.entries if e.refused)
    return {
        "stopped": outcome.stopped,
        "complete": outcome.stopped != "cancelled",
        "budget_seconds": options.budget_seconds,
        "spent_seconds": round(outcome.spent_seconds, 1),
        "tolerance": options.tolerance,
        "seed": options.seed,
        "models": list(request.models),
        "tensor_parallel_sizes": list(request.tensor_parallel_sizes),
        "leave_one_out_error": {
            name: None if math.isnan(error) else round(error, 4)
            for name, error in sorted(outcome.errors.items())
        },
        "contended_points": sum(e.contended for e in outcome.entries),
        "unmeasurable": [
            {"operation": u.operation, "what": u.what, "reason": u.reason} for u in outcome.unmeasurable
        ],
        "refused_points": dict(sorted(refused.items())),
    }
