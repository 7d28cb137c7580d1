"""``workloads[].reuse``: how much of the prompts is in the cache already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from models.document.reader import Path
from models.workload import Trace
from planner.fleet.entries import Entry, Share, Text

if TYPE_CHECKING:
    from planner.fleet.resolve import Resolver

__all__ = ["Reuse", "ReuseEntry", "reuse_of"]

Reuse = tuple[float, str]
"""A share of each prompt, and where it is from."""


class ReuseEntry(Entry):
    """Prompt tokens that an instance finds in its cache: exactly one of `share` and `cache_tokens`."""

    share: Share | None = None
    """Share of each prompt."""
    source: Text | None = None
    """Where the share is from; it is listed in the plan."""
    cache_tokens: int | Literal["endless"] | None = Field(default=None)
    """The share is what a cache of so many tokens finds in the trace, whose blocks must have hashes."""


def reuse_of(
    resolver: Resolver, entry: ReuseEntry | float | None, trace: Trace | None, path: Path
) -> Reuse | None:
    """Return how much of the prompts is reused; mistakes are noted with `resolver`.

    Parameters
    ----------
    trace
        Of the workload.
    path
        Of the entry.
    """
    if entry is None:
        return 0.0, ""
    if not isinstance(entry, ReuseEntry):
        return entry, "the fleet document"
    size = entry.cache_tokens
    if (entry.share is None) == (size is None):
        resolver.fail("give a share, or cache_tokens with a trace: exactly one", path)
        return None
    if entry.share is not None:
        return entry.share, entry.source or "the fleet document"
    if trace is None or trace.prefixes is None:
        resolver.fail(
            "cache_tokens needs a trace whose requests have block hashes, such as Mooncake's: state a share "
            "instead (fulcrum workload describe shows what a trace has)",
            (*path, "cache_tokens"),
        )
        return None
    prefixes, inputs = trace.prefixes, trace.input_tokens
    if size == "endless":
        return prefixes.repeated_share(inputs), f"{trace.source}, an endless cache"
    from models.workload.statistics import cached_share

    assert isinstance(size, int)
    found = resolver.attempt(
        lambda: cached_share(prefixes.whole(inputs), inputs, size), (*path, "cache_tokens")
    )
    return None if found is None else (found, f"{trace.source}, a cache of {size:,} tokens")
