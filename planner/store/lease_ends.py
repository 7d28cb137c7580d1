"""When leases end by the monotonic clock of this process.

A lease in the store ends at a time of the wall, and that clock jumps: set back, it would prolong the lease
of a holder that is dead. So a process goes by the wall only when it first sees a lease, and from then on by
its own monotonic clock.
"""

from __future__ import annotations

import threading

__all__ = ["LONGEST_LEASE_S", "LeaseEnds"]

LONGEST_LEASE_S = 3600.0
"""No lease is given for longer, so none that is first seen can have more left, whatever the wall says."""


class LeaseEnds:
    """Of the fleets of one database; remembers one lease a fleet. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], tuple[str, int, float]] = {}

    def has_ended(
        self, fleet: tuple[str, str], holder: str, expire_us: int, *, now_us: int, monotonic_s: float
    ) -> bool:
        """Whether the lease of `holder` until `expire_us` is over.

        Parameters
        ----------
        fleet
            Tenant and name.
        now_us, monotonic_s
            Now by the wall, in µs since the epoch, and by the monotonic clock.
        """
        with self._lock:
            seen = self._seen.get(fleet)
            if seen is None or seen[:2] != (holder, expire_us):
                left_s = min((expire_us - now_us) / 1e6, LONGEST_LEASE_S)
                seen = self._seen[fleet] = (holder, expire_us, monotonic_s + left_s)
        return monotonic_s >= seen[2]
