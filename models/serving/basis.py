"""What a number rests on: our own measurement, somebody else's, or a datasheet."""

from __future__ import annotations

from collections.abc import Iterable

from models.profiles.manifest import BASES, Basis

__all__ = ["BASES", "Basis", "weakest"]


def weakest(bases: Iterable[Basis]) -> Basis:
    """The weakest of several: a sum is only as good as its worst term; ``measured`` when there is none."""
    return max(bases, key=BASES.index, default="measured")
