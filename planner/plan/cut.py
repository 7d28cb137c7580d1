"""How the degrees of parallelism of an instance are named for people."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Cut", "cut_label"]


class Cut(Protocol):
    """Anything that states how an instance is cut: instances, candidates, refusals."""

    @property
    def tensor_parallel_size(self) -> int:
        """GPUs that share each layer."""

    @property
    def pipeline_parallel_size(self) -> int:
        """Consecutive groups of layers."""

    @property
    def data_parallel_size(self) -> int:
        """Replicas of the attention that share the experts."""

    @property
    def expert_parallel_size(self) -> int:
        """Groups of GPUs that the experts are dealt to."""


def cut_label(cut: Cut) -> str:
    """``TP2 PP2``, ``TP2 DP4 EP8``: the tensor-parallel size, and the others where they are above 1."""
    degrees = (
        ("PP", cut.pipeline_parallel_size),
        ("DP", cut.data_parallel_size),
        ("EP", cut.expert_parallel_size),
    )
    return f"TP{cut.tensor_parallel_size}" + "".join(f" {name}{size}" for name, size in degrees if size > 1)
