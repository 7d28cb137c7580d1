"""How a set of GPUs is cut into replicas, stages and tensor-parallel groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.architecture import Architecture
from models.errors import InvalidInput
from models.serving import Parallelism

__all__ = ["Layout", "layouts"]


@dataclass(frozen=True, slots=True, order=True)
class Layout:
    """Replicas × tensor × pipeline on a set of GPUs.

    Parameters
    ----------
    replicas
        Independent copies of the model (the papers' DP).
    tensor_parallel_size, pipeline_parallel_size
        Of each copy.
    """

    replicas: int
    tensor_parallel_size: int
    pipeline_parallel_size: int

    def __post_init__(self) -> None:
        if min(self.replicas, self.tensor_parallel_size, self.pipeline_parallel_size) < 1:
            raise InvalidInput(f"the degrees of a layout are whole numbers of at least 1, got {self!r}")

    @property
    def gpus(self) -> int:
        """GPUs of all replicas."""
        return self.replicas * self.tensor_parallel_size * self.pipeline_parallel_size

    def __str__(self) -> str:
        """As the Seesaw paper writes it: ``D2T4``, ``P8``; ``T1`` for a single GPU."""
        degrees = (("D", self.replicas), ("T", self.tensor_parallel_size), ("P", self.pipeline_parallel_size))
        return "".join(f"{letter}{degree}" for letter, degree in degrees if degree > 1) or "T1"


def layouts(architecture: Architecture, gpus: int, *, weights: str = "bf16") -> Iterator[Layout]:
    """Every layout of exactly `gpus` GPUs that the model's heads and layers can be cut in, in order."""
    for replicas in range(1, gpus + 1):
        for tensor in range(1, gpus // replicas + 1):
            if gpus % (replicas * tensor):
                continue
            pipeline = gpus // (replicas * tensor)
            cut = Parallelism(tensor_parallel_size=tensor, pipeline_parallel_size=pipeline)
            if not cut.problems(architecture, weights):
                yield Layout(replicas, tensor, pipeline)
