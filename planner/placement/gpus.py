"""GPU indices within a node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Claim", "assign_gpus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """GPUs that one part of an instance needs on a node.

    Parameters
    ----------
    name
        Of the part; decides between equals.
    size
        Number of GPUs.
    held
        Indices it runs on today, if it stays on this node; else empty.
    """

    name: str
    size: int
    held: tuple[int, ...] = ()


def assign_gpus(claims: Sequence[Claim], gpus_per_node: int) -> dict[str, tuple[int, ...]]:
    """Return ascending GPU indices for each claim.

    Whoever stays keeps its indices. The others go, largest first, to the first free block of consecutive
    indices that starts at a multiple of their size (the pairs and quads that share a switch), else to the
    lowest free indices: no claim is turned away while enough GPUs are free.
    """
    assert sum(claim.size for claim in claims) <= gpus_per_node
    free = set(range(gpus_per_node))
    given: dict[str, tuple[int, ...]] = {}
    for claim in claims:
        if len(claim.held) == claim.size and free.issuperset(claim.held):
            given[claim.name] = tuple(sorted(claim.held))
            free.difference_update(claim.held)
    for claim in sorted(claims, key=lambda c: (-c.size, c.name)):
        if claim.name in given:
            continue
        starts = range(0, gpus_per_node - claim.size + 1, claim.size)
        blocks = (range(start, start + claim.size) for start in starts)
        block = next((tuple(b) for b in blocks if free.issuperset(b)), None)
        chosen = block if block is not None else tuple(sorted(free)[: claim.size])
        given[claim.name] = chosen
        free.difference_update(chosen)
    return given
