r"""What it costs to get from the instances of one period to those of the next.

An engine that starts from nothing is paid for `start_delay` before it serves; one whose GPUs held the same
weights in the same cut only changes its *role*; one whose GPUs held the same model in another cut is
*re-sharded*. With the growth ``Δ[c]`` of each candidate and its price an hour ``p[c]``,

    switch · Σ_c p (Δ)⁺  +  (reshard − switch) · Σ_cuts p (Σ Δ)⁺  +  (start − reshard) · Σ_models (Σ p Δ)⁺

where a *cut* is all roles of one model in one cut on one pool, and a *model* all its cuts there: what a group
takes over from itself pays the inner price only. Convex for switch ≤ reshard ≤ start, so it is a goal like
any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.graph import Node
from models.graph.ops import PositivePart
from planner.candidates.candidate import Candidate
from planner.fleet.fleet import Fleet, Periods
from planner.plan.cut import cut_label
from planner.plan.schedule import Change
from planner.sizing.columns import Columns

__all__ = ["Level", "change_cost", "change_node", "changes_between", "levels"]


@dataclass(frozen=True, slots=True)
class Level:
    """Groups that take over from themselves, and the seconds paid for what a group as a whole grows."""

    seconds: float
    groups: tuple[Hashable, ...]


def levels(candidates: Sequence[Candidate], periods: Periods) -> list[Level]:
    """From each candidate by itself to all that run one model on one pool."""
    switch, reshard, start = periods.delays_s
    return [
        Level(switch, tuple(range(len(candidates)))),
        Level(reshard - switch, tuple(map(_cut, candidates))),
        Level(start - reshard, tuple((c.model, c.pool) for c in candidates)),
    ]


def _cut(c: Candidate) -> tuple[Hashable, ...]:
    return (
        c.model, c.pool, c.repository, c.engine, c.weights, c.kv_cache, c.tensor_parallel_size,
        c.pipeline_parallel_size, c.data_parallel_size, c.expert_parallel_size,
    )  # fmt: skip


def change_cost(
    candidates: Sequence[Candidate], periods: Periods, before: Sequence[int], after: Sequence[int]
) -> float:
    """The formula of the module for two rows of counts by candidate."""
    price = np.array([candidate.price_per_hour for candidate in candidates])
    grown = (np.array(after, np.float64) - np.array(before, np.float64)) * price
    total = 0.0
    for level in levels(candidates, periods):
        groups: dict[Hashable, float] = defaultdict(float)
        for group, value in zip(level.groups, grown.tolist(), strict=True):
            groups[group] += value
        total += level.seconds / 3600.0 * sum(max(value, 0.0) for value in groups.values())
    return total


def change_node(
    columns: Columns, neighbours: Sequence[Sequence[int] | None], periods: Periods
) -> list[tuple[Node, float]]:
    """Terms of a goal: the change from the period before, `neighbours[0]`, and to the one after it.

    A neighbour that is None costs nothing.
    """
    terms = []
    price = columns.each(lambda c: c.price_per_hour)
    place = {id(c): index for index, c in enumerate(columns.candidates)}
    for position, counts in enumerate(neighbours):
        if counts is None:
            continue
        # What the period before lacks starts here; what this one lacks starts in the one after.
        sign = 1.0 if position == 0 else -1.0
        grown = columns.weighted(sign * price, -sign * price * np.array(counts, np.float64))
        for level in levels(columns.candidates, periods):
            if level.seconds <= 0:
                continue
            labels = list(dict.fromkeys(level.groups))
            together = grown
            if len(labels) < len(level.groups):
                key = level.groups
                onto = columns.onto("takes over", labels, lambda c, key=key: key[place[id(c)]])  # type: ignore[misc]
                together = columns.builder.total(grown, onto)
            up = columns.builder.node(PositivePart(), together)
            terms.append((columns.builder.total(up), level.seconds / 3600.0))
    return terms


def changes_between(
    fleet: Fleet, candidates: Sequence[Candidate], before: Sequence[int], after: Sequence[int]
) -> Iterator[Change]:
    """What switches its role, is re-sharded, starts and stops; the costs add up to `change_cost`."""
    periods = fleet.periods
    assert periods is not None
    switch_s, reshard_s, start_s = periods.delays_s
    left = [new - old for old, new in zip(before, after, strict=True)]
    cuts: dict[Hashable, list[int]] = defaultdict(list)
    models: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, candidate in enumerate(candidates):
        cuts[_cut(candidate)].append(index)
        models[candidate.model, candidate.pool].append(index)
    for members in cuts.values():
        for source in members:
            for target in members:
                count = min(-left[source], left[target])
                if count > 0:
                    left[source] += count
                    left[target] -= count
                    c = candidates[target]
                    cost = count * c.price_per_hour * switch_s / 3600.0
                    yield _change("role_switch", c, [(count, candidates[source])], [(count, c)], cost)
    for members in models.values():
        stops = [(-left[i], candidates[i]) for i in members if left[i] < 0]
        starts = [(left[i], candidates[i]) for i in members if left[i] > 0]
        if stops and starts:
            new = sum(count * c.price_per_hour for count, c in starts)
            grown = max(0.0, new - sum(count * c.price_per_hour for count, c in stops))
            cost = (new * reshard_s + grown * (start_s - reshard_s)) / 3600.0
            yield _change("reshard", starts[0][1], stops, starts, cost)
        elif starts:
            price = sum(count * c.price_per_hour for count, c in starts)
            yield _change("start", starts[0][1], [], starts, price * start_s / 3600.0)
        elif stops:
            yield _change("stop", stops[0][1], stops, [], 0.0)


def _change(
    kind: str, one: Candidate, stops: Sequence[tuple[int, Candidate]],
    starts: Sequence[tuple[int, Candidate]], cost: float,
) -> Change:  # fmt: skip
    def said(counted: Sequence[tuple[int, Candidate]]) -> tuple[str, ...]:
        return tuple(f"{count} × {c.workload} {c.role} {cut_label(c)}" for count, c in counted)

    return Change(
        kind=kind,  # type: ignore[arg-type]  # one of the four by construction
        model=one.model,
        pool=one.pool,
        before=said(stops),
        after=said(starts),
        cost=cost,
    )
