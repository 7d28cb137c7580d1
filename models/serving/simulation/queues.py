"""Waiting requests by class, most urgent class first, each in the order of arrival; compiled.

``queues`` is a tuple of int64 arrays: requests [class, ring], the ring's head and length of each class.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from models.serving.compiled import compiled

__all__ = [
    "empty_queues",
    "next_ready_ms",
    "peek",
    "pop",
    "push",
    "push_front",
    "ready_count",
    "waiting_count",
]

Floats = npt.NDArray[np.float64]


def empty_queues(classes: int, requests: int) -> Any:
    """Queues that hold all requests in any class."""
    return (
        np.zeros((classes, requests + 1), np.int64),
        np.zeros((1, classes), np.int64),
        np.zeros((1, classes), np.int64),
    )


@compiled
def push(c: int, i: int, queues: Any) -> None:
    """Add a request behind its class."""
    ring, head, length = queues
    ring[c, (head[0, c] + length[0, c]) % ring.shape[1]] = i
    length[0, c] += 1


@compiled
def push_front(c: int, i: int, queues: Any) -> None:
    """Add a request before its class."""
    ring, head, length = queues
    head[0, c] = (head[0, c] - 1) % ring.shape[1]
    ring[c, head[0, c]] = i
    length[0, c] += 1


@compiled
def peek(c: int, place: int, queues: Any) -> Any:
    """The request at a place of a class, 0 for the first."""
    ring, head, _ = queues
    return ring[c, (head[0, c] + place) % ring.shape[1]]


@compiled
def pop(c: int, queues: Any) -> None:
    """Take the first request of a class away."""
    ring, head, length = queues
    head[0, c] = (head[0, c] + 1) % ring.shape[1]
    length[0, c] -= 1


@compiled
def waiting_count(queues: Any) -> Any:
    """Requests that wait or will arrive."""
    count = 0
    for c in range(queues[0].shape[0]):
        count += queues[2][0, c]
    return count


@compiled
def ready_count(now: float, ready: Floats, most: int, queues: Any) -> Any:
    """Requests that could be taken now; of more than `most` not all are counted."""
    count = 0
    for c in range(queues[0].shape[0]):
        place = 0
        while count < most and place < queues[2][0, c] and ready[peek(c, place, queues)] <= now:
            count += 1
            place += 1
    return count


@compiled
def next_ready_ms(ready: Floats, queues: Any) -> Any:
    """When the first of the classes' heads is ready; infinite when nothing waits."""
    soonest = math.inf
    for c in range(queues[0].shape[0]):
        if queues[2][0, c] > 0:
            soonest = min(soonest, ready[peek(c, 0, queues)])
    return soonest
