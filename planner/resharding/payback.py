"""Should a running instance widen or narrow? What the change costs, and when it has paid for itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

from models.errors import InvalidInput

__all__ = ["Payback", "payback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payback:
    """One change of parallelism.

    Parameters
    ----------
    lost_work
        Work not done while the instance changes, in the unit of the rates times seconds.
    gained_per_s
        More work per second afterwards, as far as demand asks for it; ≤ 0 when the change gains nothing.
    payback_s
        Time after the change until the lost work is made up; None when never.
    pays
        Whether that is within the horizon.
    """

    lost_work: float
    gained_per_s: float
    payback_s: float | None
    pays: bool


def payback(
    *,
    rate_now_per_s: float,
    rate_after_per_s: float,
    demand_per_s: float,
    downtime_s: float,
    horizon_s: float,
) -> Payback:
    """Weigh one change of a running instance.

    ``lost = min(demand, now) · downtime``; ``gained = min(demand, after) − min(demand, now)``. A change that
    the present demand does not need gains nothing, however fast it would be.

    Parameters
    ----------
    rate_now_per_s, rate_after_per_s, demand_per_s
        Tokens or requests per second, all in one unit; demand may be infinite (offline work).
    downtime_s
        Loading weights and handing over the cache; 0 when a second instance takes over meanwhile.
    horizon_s
        How long the new demand is expected to last.
    """
    given = (rate_now_per_s, rate_after_per_s, demand_per_s, downtime_s, horizon_s)
    if any(math.isnan(value) or value < 0 for value in given):
        raise InvalidInput(f"rates, demand and times must be at least 0, got {given}")
    served = min(demand_per_s, rate_now_per_s)
    lost = served * downtime_s
    gained = min(demand_per_s, rate_after_per_s) - served
    seconds = lost / gained if gained > 0 else None
    return Payback(
        lost_work=lost,
        gained_per_s=gained,
        payback_s=seconds,
        pays=seconds is not None and downtime_s + seconds <= horizon_s,
    )
