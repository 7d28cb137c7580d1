"""The example of the Mélange repository: two GPU types, four request sizes, 30 requests a second."""

from __future__ import annotations

import time

from benchmarks.planner_cases.comparison import Comparison
from planner.slices import GpuOption, SizeBucket, size_by_slices

PUBLISHED = {1: 6.70, 2: 5.69, 3: 4.68, 4: 5.69}
"""Dollars an hour by slice factor; factor 1 is printed in the repository, the others were recomputed."""


def run() -> Comparison:
    buckets = tuple(
        SizeBucket(input_tokens=i, output_tokens=o, rate_per_s=30 * share)
        for (i, o), share in zip(
            ((25, 25), (25, 250), (250, 25), (250, 250)), (0.2, 0.1, 0.5, 0.2), strict=True
        )
    )
    options = (
        GpuOption(name="A10G", price_per_hour=1.01, throughput_per_s=(2, 1, 5, 2)),
        GpuOption(name="A100", price_per_hour=3.67, throughput_per_s=(20, 20, 40, 20)),
    )
    measured: dict[str, object] = {}
    agrees: dict[str, bool] = {}
    for factor, price in PUBLISHED.items():
        start = time.perf_counter()
        sizing = size_by_slices(buckets, options, slices_per_bucket=factor)
        measured[f"slice_factor_{factor}"] = {
            "price_per_hour": None if sizing.price_per_hour is None else round(sizing.price_per_hour, 2),
            "counts": sizing.counts,
            "status": sizing.status,
            "seconds": round(time.perf_counter() - start, 3),
        }
        agrees[f"slice_factor_{factor}"] = (
            sizing.status == "optimal"
            and sizing.price_per_hour is not None
            and abs(sizing.price_per_hour - price) < 0.005
        )
    return Comparison(
        case="melange",
        source="Griggs et al., Mélange, arXiv 2404.14527; example of tyler-griggs/melange-release",
        published={f"slice_factor_{f}": {"price_per_hour": p} for f, p in PUBLISHED.items()},
        measured=measured,
        agrees=agrees,
        notes=("the sizes of the buckets do not enter the result, only their rates and throughputs do",),
    )
