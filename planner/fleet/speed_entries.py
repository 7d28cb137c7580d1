"""``pools[].weights_from`` and ``policies.transition``: how fast what runs can change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from models.document.reader import Path
from models.errors import UnknownName
from planner.fleet.entries import Bandwidth, Duration, Entry, Name, Text
from planner.fleet.speeds import Speeds, WeightSource

if TYPE_CHECKING:
    from planner.fleet.resolve import Resolver

__all__ = ["TransitionEntry", "WeightSourceEntry", "speeds_of", "weight_sources"]


class WeightSourceEntry(Entry):
    """A tier that nodes read weights from."""

    tier: Name
    """What it is: host-memory, local-disk, network."""
    bandwidth: Bandwidth
    """What one node reads from it."""
    models: list[Text] | None = Field(default=None, min_length=1)
    """Models whose weights it holds; default: all."""


class TransitionEntry(Entry):
    """How long the steps from what runs to a new plan take."""

    start: Duration = 60e3
    """From loaded weights to ready: processes, compilation, graph capture, warm-up."""
    switch: Duration = 1e3
    """Until the router sends requests to a new instance."""
    requests: Literal["migrate", "drain"] = "migrate"
    """What becomes of the running requests of an instance that stops: moved where that is faster, or always
    waited for."""
    migration: Bandwidth = 10e9
    """Between two instances, for the KV caches of requests that move."""
    pause: Duration = 30.0
    """For which each request stops at the end of its move."""
    longest_answer_percentile: float = Field(default=99.0, gt=0, le=100)
    """Percentile of the answer lengths that draining waits for."""
    in_flight: int = Field(default=8, ge=1, le=10_000)
    """Most instances that start or stop at once."""


def weight_sources(
    resolver: Resolver, entries: Sequence[WeightSourceEntry], path: Path
) -> tuple[WeightSource, ...]:
    """Return the tiers of a pool, fastest first; mistakes are noted with `resolver`.

    Every model must be held by one of them, or its instances could never start there.
    """
    known = [model.name for model in resolver.entry.models]
    for index, entry in enumerate(entries):
        if entry.tier in [other.tier for other in entries[:index]]:
            resolver.fail(f"a second tier named {entry.tier!r}", (*path, index, "tier"))
        for position, name in enumerate(entry.models or ()):
            if name not in known:
                at = (*path, index, "models", position)
                resolver.violations.append(UnknownName("model", name, known, path=at, **resolver.at(at)))
    made = [
        WeightSource(
            tier=entry.tier,
            bandwidth_bytes_per_s=entry.bandwidth,
            models=None if entry.models is None else frozenset(entry.models),
        )
        for entry in entries
    ]
    homeless = [name for name in known if made and not any(source.holds(name) for source in made)]
    if homeless:
        resolver.fail(
            f"no tier holds the weights of {', '.join(homeless)}: one without models: holds all", path
        )
    return tuple(sorted(made, key=lambda source: -source.bandwidth_bytes_per_s))


def speeds_of(entry: TransitionEntry) -> Speeds:
    """Return the times with units of the planner."""
    return Speeds(
        start_s=entry.start / 1e3,
        switch_s=entry.switch / 1e3,
        migrate_bytes_per_s=entry.migration if entry.requests == "migrate" else None,
        migrate_pause_s=entry.pause / 1e3,
        longest_answer_percentile=entry.longest_answer_percentile,
        in_flight=entry.in_flight,
    )
