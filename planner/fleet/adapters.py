"""LoRA adapters of a workload."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RANKS", "Adapter", "Adapters"]

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes as the largest rank of an instance's adapters (``--max-lora-rank``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """One adapter of a base model.

    Parameters
    ----------
    repository
        What the engine loads.
    share
        Of the workload's requests.
    """

    name: str
    repository: str
    rank: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """The adapters of a workload and how instances hold them.

    Parameters
    ----------
    slots
        Adapters an instance has in GPU memory; each takes the room of the largest rank.
    copies
        Instances that each adapter is on.
    overhead
        Share by which every step takes longer than without adapters.
    """

    adapters: tuple[Adapter, ...]
    slots: int
    copies: int
    overhead: float

    @property
    def rank(self) -> int:
        """The least of the ranks that engines have which holds all adapters."""
        largest = max(adapter.rank for adapter in self.adapters)
        return next(rank for rank in RANKS if rank >= largest)

    @property
    def least_instances(self) -> int:
        """Instances below which the copies have no place."""
        return max(self.copies, -(-len(self.adapters) * self.copies // self.slots))
