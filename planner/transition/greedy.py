"""The order most transitions have: always the stop that frees most, never a step back.

Stops of one workload and role are a class. Whether a stop is allowed depends on its class and its capacity
only, so that a class keeps two heaps, by usefulness and by capacity, and every stop costs a logarithm.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.transition.order import Search

__all__ = ["stop_greedily"]

Key = tuple[bool, float, str, int]


def stop_greedily(search: Search) -> bool:
    """Stop instances until none is left (True) or no stop is allowed (False)."""
    classes: dict[tuple[str, str], _Class] = {}
    for o, instance in enumerate(search.old):
        mine = classes.setdefault((instance.workload, instance.role), _Class(search))
        mine.add(o)
    while True:
        tops = [(key, mine) for mine in classes.values() if (key := mine.best()) is not None]
        if not tops:
            return len(search.stopped) == len(search.old)
        key, mine = min(tops, key=lambda top: top[0])
        o = key[-1]
        search.stop(o)
        for n in search.freed_for[o]:
            # another instance on GPUs that the same new one waits for has become more useful
            for other in search.blockers[n]:
                if not search.is_stopped[other]:
                    instance = search.old[other]
                    classes[instance.workload, instance.role].add(other)


class _Class:
    """Instances to stop of one workload and role."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.by_use: list[Key] = []
        self.by_capacity: list[tuple[float, int]] = []
        self.too_large: list[tuple[float, int]] = []
        """Looked at and not allowed, by capacity: back once smaller ones are gone or more runs."""

    def add(self, o: int) -> None:
        heapq.heappush(self.by_use, self.search.key(o))
        heapq.heappush(self.by_capacity, (self.search.old[o].expected.capacity_per_s, o))

    def best(self) -> Key | None:
        """The most useful stop that is allowed; it stays in the class until it is stopped."""
        search = self.search
        for heap in (self.by_capacity, self.too_large):
            while heap and search.is_stopped[heap[0][1]]:
                heapq.heappop(heap)
        while self.too_large and search.allowed(self.too_large[0][1]):
            _, o = heapq.heappop(self.too_large)
            if not search.is_stopped[o]:
                heapq.heappush(self.by_use, search.key(o))
        if not self.by_capacity or not search.allowed(self.by_capacity[0][1]):
            return None  # not even the smallest
        while self.by_use:
            key = self.by_use[0]
            o = key[-1]
            if search.is_stopped[o] or key != search.key(o):
                heapq.heappop(self.by_use)  # done, or worth something else by now: pushed again then
                continue
            if search.allowed(o):
                return key
            heapq.heappop(self.by_use)
            heapq.heappush(self.too_large, (search.old[o].expected.capacity_per_s, o))
        return None
