"""`planner.placement.pack`: every limit it knows holds, what runs stays, dividing sizes always fit."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.fleet import Pool
from planner.placement.pack import pack
from planner.placement.vocabulary import Part
from planner.testing import make_fleet

POOL = replace(make_fleet().pools[0], nodes=6, gpus_per_node=8, racks=3)


def parts_of(sizes: list[int], *, column: int = 0) -> list[Part]:
    return [
        Part(name=f"{n}", instance=f"i{n}", workload="chat", role="mixed", gpus=size, column=column)
        for n, size in enumerate(sizes)
    ]


def nowhere(parts: list[Part]) -> np.ndarray:  # type: ignore[type-arg]
    return np.full(len(parts), -1, np.int32)


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([1, 2, 4, 8]), min_size=1, max_size=30),
    down=st.sets(st.integers(0, 5), max_size=3),
)
def test_sizes_that_divide_the_nodes_fit_exactly_when_the_gpus_suffice(
    sizes: list[int], down: set[int]
) -> None:
    pool: Pool = replace(POOL, unavailable=tuple(sorted(down)))
    parts = parts_of(sizes)
    nodes = pack(pool, parts, nowhere(parts))
    assert (nodes is not None) == (sum(sizes) <= pool.gpus)
    if nodes is not None:
        used = np.bincount(nodes, weights=sizes, minlength=6)
        assert (used <= 8).all()
        assert not down & set(nodes.tolist())


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=12),
    limit=st.integers(1, 4),
    by=st.sampled_from(["node", "rack"]),
    watts=st.none() | st.integers(1, 20),
)
def test_limits_hold(sizes: list[int], limit: int, by: str, watts: int | None) -> None:
    pool = replace(POOL, gpu_watts=700.0, rack_limit_watts=None if watts is None else watts * 700.0)
    parts = [replace(part, instance=f"i{n // 2}") for n, part in enumerate(parts_of(sizes))]
    nodes = pack(pool, parts, nowhere(parts), loss_of=by, spread_limits={0: limit})
    if nodes is None:
        return
    places = nodes if by == "node" else np.array([pool.rack_of(n) for n in nodes])
    assert max(Counter(places.tolist()).values()) <= limit
    for n in range(0, len(parts) - 1, 2):
        assert nodes[n] != nodes[n + 1]  # parts of one instance
    if watts is not None:
        used = Counter()  # type: ignore[var-annotated]
        for part, node in zip(parts, nodes.tolist(), strict=True):
            used[pool.rack_of(node)] += part.gpus
        assert max(used.values()) <= watts


def test_what_runs_stays_and_small_ones_make_room_only_when_they_must() -> None:
    parts = parts_of([1, 1, 8])
    start = np.array([0, 3, -1], np.int32)
    nodes = pack(POOL, parts, start)
    assert nodes is not None
    assert nodes.tolist()[:2] == [0, 3]
    parts = parts_of([1, 1, 1, 1, 1, 1, 8])
    start = np.array([0, 1, 2, 3, 4, 5, -1], np.int32)
    nodes = pack(POOL, parts, start)
    assert nodes is not None
    assert (nodes[:6] != start[:6]).sum() == 1


def test_services_are_spread_and_whole_nodes_kept_free() -> None:
    parts = parts_of([2] * 6)
    nodes = pack(POOL, parts, nowhere(parts))
    assert nodes is not None
    assert sorted(nodes.tolist()) == [0, 1, 2, 3, 4, 5]
    one = [replace(part, workload="code") if n else part for n, part in enumerate(parts_of([4, 2]))]
    nodes = pack(replace(POOL, racks=1), one, nowhere(one))
    assert nodes is not None
    assert nodes[0] == nodes[1]


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_full_pool_with_one_of_each_kind_a_node_is_packed(data: st.DataObject) -> None:
    pool = replace(POOL, racks=1)
    counts: list[int] = []
    while sum(counts) < pool.gpus:
        counts.append(data.draw(st.integers(1, min(pool.nodes, pool.gpus - sum(counts)))))
    parts = [
        Part(name=f"{c}-{n}", instance=f"{c}-{n}", workload="chat", role="mixed", gpus=1, column=c)
        for c, count in enumerate(counts)
        for n in range(count)
    ]
    nodes = pack(
        pool, parts, nowhere(parts), loss_of="node", spread_limits=dict.fromkeys(range(len(counts)), 1)
    )
    assert nodes is not None
    there = Counter((part.column, node) for part, node in zip(parts, nodes.tolist(), strict=True))
    assert max(there.values()) == 1


def test_a_part_without_room_changes_places_with_one_that_can_go_elsewhere() -> None:
    # Two nodes of 8 with one free GPU each; the pair of GPUs needs both on one node.
    pool = replace(POOL, nodes=2, racks=1)
    parts = parts_of([1] * 14) + [replace(part, instance="new") for part in parts_of([2])]
    start = np.array([n // 7 for n in range(14)] + [-1], np.int32)
    nodes = pack(pool, parts, start)
    assert nodes is not None
    assert np.bincount(nodes, weights=[part.gpus for part in parts]).tolist() == [8, 8]
    assert int((nodes[:14] != start[:14]).sum()) == 1

    # One column may be on each node once: the new one of column 1 goes where it is not yet.
    parts = parts_of([1] * 15) + parts_of([1], column=1) + [replace(parts_of([1], column=1)[0], instance="x")]
    start = np.array([0] * 8 + [1] * 6 + [-1] + [1, -1], np.int32)
    pool = replace(pool, gpus_per_node=9)
    nodes = pack(pool, parts, start, loss_of="node", spread_limits={0: 9, 1: 1})
    assert nodes is not None
    assert {int(nodes[15]), int(nodes[16])} == {0, 1}
