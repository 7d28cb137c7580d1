"""``workloads[].lora``: adapters, and how instances hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from models.document.reader import Path
from planner.fleet.adapters import Adapter, Adapters
from planner.fleet.entries import Entry, Name, Share, Text

if TYPE_CHECKING:
    from planner.fleet.resolve import Resolver

__all__ = ["AdapterEntry", "LoraEntry", "adapters_of"]


class AdapterEntry(Entry):
    """A LoRA adapter."""

    name: Name
    """Name that requests ask for; unique in the workload."""
    repository: Text | None = None
    """What the engine loads, a Hugging Face repository or a path; default: the name."""
    rank: int = Field(default=16, ge=1, le=512)
    """Rank of its matrices."""
    share: Share
    """Of the workload's requests; what the adapters leave goes to the base model."""


class LoraEntry(Entry):
    """LoRA adapters of a workload's model."""

    adapters: list[AdapterEntry] = Field(min_length=1, max_length=10_000)
    """The adapters."""
    slots: int | None = Field(default=None, ge=1, le=1024)
    """Adapters that an instance has in GPU memory; default: all of them."""
    copies: int = Field(default=1, ge=1, le=1024)
    """Instances that each adapter is on."""
    overhead: Share = 0.0
    """Share by which every step takes longer than without adapters, as measured."""


def adapters_of(resolver: Resolver, entry: LoraEntry | None, path: Path) -> Adapters | None:
    """Return the adapters of a workload; mistakes are noted with `resolver`."""
    if entry is None:
        return None
    names = [adapter.name for adapter in entry.adapters]
    known = [model.name for model in resolver.entry.models]
    for index, name in enumerate(names):
        if name in names[:index] or name in known:
            what = "adapter" if name in names[:index] else "thing to ask for, a model,"
            resolver.fail(f"a second {what} named {name!r}", (*path, "adapters", index, "name"))
    total = sum(adapter.share for adapter in entry.adapters)
    if total > 1 + 1e-9:
        resolver.fail(f"the shares add up to {total:.4%}, at most 100%", (*path, "adapters"))
    return Adapters(
        adapters=tuple(
            Adapter(name=a.name, repository=a.repository or a.name, rank=a.rank, share=a.share)
            for a in entry.adapters
        ),
        slots=entry.slots or len(entry.adapters),
        copies=entry.copies,
        overhead=entry.overhead,
    )
