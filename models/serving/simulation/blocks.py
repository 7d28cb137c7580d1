"""Blocks of prompts kept in the cache after their request, least recently used out first; compiled.

A prompt is a row of block names (equal names: equal prompts up to the block's end). A block is *resident*
once a prompt has computed it, *pinned* while a running request reads it, and may be evicted otherwise.
``blocks`` is a tuple of int64 arrays: first name of each request, names, pins, resident, next and previous in
the order of eviction (the last entry is the ring's end), and the counts below.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from models.serving.compiled import compiled

__all__ = ["EVICTED", "UNPINNED", "empty_blocks", "evict", "pin", "publish", "resident_prefix", "unpin"]

_FIRST, _NAMES, _PINS, _RESIDENT, _NEXT, _BEFORE, _COUNTS = range(7)
UNPINNED, EVICTED = range(2)
"""Counts: resident blocks that nobody pins; evictions so far."""


def empty_blocks(first: Any, names: Any) -> Any:
    """An empty cache for prompts with the names ``names[first[i] : first[i + 1]]``, counted from 0."""
    count = int(names.max()) + 1 if names.size else 0
    ring = np.full(count + 1, count, np.int64)
    return (
        first, names, np.zeros(count, np.int64), np.zeros(count, np.int64), ring, ring.copy(),
        np.zeros(2, np.int64),
    )  # fmt: skip


@compiled
def _append(name: int, blocks: Any) -> None:
    after, before = blocks[_NEXT], blocks[_BEFORE]
    end = after.size - 1
    last = before[end]
    after[last], before[name], after[name], before[end] = name, last, end, name
    blocks[_COUNTS][UNPINNED] += 1


@compiled
def _remove(name: int, blocks: Any) -> None:
    after, before = blocks[_NEXT], blocks[_BEFORE]
    after[before[name]] = after[name]
    before[after[name]] = before[name]
    blocks[_COUNTS][UNPINNED] -= 1


@compiled
def resident_prefix(i: int, blocks: Any) -> Any:
    """How many blocks at the beginning of a prompt are in the cache."""
    first, names, resident = blocks[_FIRST], blocks[_NAMES], blocks[_RESIDENT]
    found = 0
    while first[i] + found < first[i + 1] and resident[names[first[i] + found]] == 1:
        found += 1
    return found


@compiled
def pin(i: int, count: int, blocks: Any) -> Any:
    """Pin the first blocks of a prompt, which are resident; how many nobody pinned before."""
    fresh = 0
    for j in range(blocks[_FIRST][i], blocks[_FIRST][i] + count):
        name = blocks[_NAMES][j]
        if blocks[_PINS][name] == 0:
            _remove(name, blocks)
            fresh += 1
        blocks[_PINS][name] += 1
    return fresh


@compiled
def publish(i: int, begin: int, blocks: Any) -> Any:
    """Make the blocks of a prompt from `begin` on resident and pin them; how many nobody pinned before.

    A block that another prompt made resident meanwhile is shared, and this prompt's own copy dropped.
    """
    fresh = 0
    for j in range(blocks[_FIRST][i] + begin, blocks[_FIRST][i + 1]):
        name = blocks[_NAMES][j]
        if blocks[_PINS][name] == 0:
            if blocks[_RESIDENT][name] == 1:
                _remove(name, blocks)
            fresh += 1
        blocks[_RESIDENT][name] = 1
        blocks[_PINS][name] += 1
    return fresh


@compiled
def unpin(i: int, count: int, blocks: Any) -> Any:
    """Let go of the first blocks of a prompt, the last of them first; how many nobody pins any more."""
    free = 0
    for j in range(blocks[_FIRST][i] + count - 1, blocks[_FIRST][i] - 1, -1):
        name = blocks[_NAMES][j]
        blocks[_PINS][name] -= 1
        if blocks[_PINS][name] == 0:
            _append(name, blocks)
            free += 1
    return free


@compiled
def evict(most: int, blocks: Any) -> None:
    """Evict until at most so many blocks are resident that nobody pins."""
    end = blocks[_NEXT].size - 1
    while blocks[_COUNTS][UNPINNED] > most:
        name = blocks[_NEXT][end]
        _remove(name, blocks)
        blocks[_RESIDENT][name] = 0
        blocks[_COUNTS][EVICTED] += 1
