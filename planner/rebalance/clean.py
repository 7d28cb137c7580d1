"""Samples that must not be planned on: none measured, none believable, too old, or of an engine still cold.

An autoscaler that plans on cold-start samples multiplies its fleet; so what is discarded is said, each time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.rebalance.series import Measured, Series

__all__ = ["Cleaned", "clean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """The rate that is left, and what became of the rest.

    Parameters
    ----------
    discarded
        One sentence for each kind of sample left out.
    stale
        Why the whole workload must not be acted on; empty when it may.
    """

    rate_per_s: Series
    discarded: tuple[str, ...]
    stale: str


def clean(measured: Measured, *, now_s: float, warm_up_s: float, stale_s: float, fewest: int) -> Cleaned:
    """Leave out what must not be planned on.

    Parameters
    ----------
    now_s
        Seconds since the epoch.
    warm_up_s
        After the number of instances rose, samples of so many seconds are of engines still cold.
    stale_s
        Age of the newest good sample beyond which nothing is done.
    fewest
        Good samples below which nothing is done.
    """
    rate = measured.rate_per_s
    discarded = []
    absent = np.isnan(rate.values)
    odd = ~absent & (~np.isfinite(rate.values) | (rate.values < 0))
    future = rate.times_s > now_s
    cold = np.zeros(len(rate), np.bool_)
    if measured.instances is not None:
        counts = measured.instances
        known = counts.only(~np.isnan(counts.values))
        rises = known.times_s[1:][np.diff(known.values) > 0]
        for begin in rises:
            cold |= (rate.times_s >= begin) & (rate.times_s < begin + warm_up_s)
    for what, which in (
        ("without a value", absent),
        ("negative or infinite", odd),
        ("from the future: check the clocks", future),
        (f"within {warm_up_s:g} s after instances started", cold),
    ):
        count = int(which.sum())
        if count:
            discarded.append(f"{count} of {len(rate)} samples {what}")
    good = rate.only(~(absent | odd | future | cold))
    return Cleaned(
        rate_per_s=good, discarded=tuple(discarded), stale=_staleness(good, now_s, stale_s, fewest)
    )


def _staleness(good: Series, now_s: float, stale_s: float, fewest: int) -> str:
    if len(good) < fewest:
        return f"only {len(good)} good samples, {fewest} are needed"
    age_s = now_s - float(good.times_s[-1])
    if age_s > stale_s:
        return f"the newest good sample is {age_s:.0f} s old, more than {stale_s:g} s"
    return ""
