"""When the owner of a plan is given up.

Clocks of machines differ, and jump. So no time of the wall decides that a server is dead: whoever would take
its plan over watches the lease, and gives the owner up when the lease has not been renewed for as long as a
lease lasts by the watcher's own monotonic clock.
"""

from __future__ import annotations

from collections.abc import Iterable

from planner.store.records import Lease

__all__ = ["LeaseWatch"]


class LeaseWatch:
    """Of one dispatcher.

    Parameters
    ----------
    lease_s
        How long a lease stays good without being renewed; the same for all servers on one store.
    """

    def __init__(self, lease_s: float) -> None:
        self._lease_s = lease_s
        self._unchanged_s: dict[Lease, float] = {}
        self._last_look_s: float | None = None

    def look(self, leases: Iterable[Lease], now_s: float) -> list[Lease]:
        """The leases among those that are in the store now whose owners are to be given up.

        Between two looks at most a third of a lease is counted: a watcher that was itself stopped learns from
        its own absence nothing about others.
        """
        passed_s = 0.0 if self._last_look_s is None else now_s - self._last_look_s
        counted_s = min(max(passed_s, 0.0), self._lease_s / 3)
        self._last_look_s = now_s
        self._unchanged_s = {
            lease: self._unchanged_s[lease] + counted_s if lease in self._unchanged_s else 0.0
            for lease in leases
        }
        return [lease for lease, unchanged_s in self._unchanged_s.items() if unchanged_s >= self._lease_s]
