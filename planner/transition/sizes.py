"""What an instance of a plan loads, by the serving model."""

from __future__ import annotations

from models.architecture import Architecture
from models.serving import Parallelism
from models.serving.memory import weight_bytes_per_gpu
from planner.plan import Instance

__all__ = ["loaded_bytes", "parallelism"]


def parallelism(instance: Instance) -> Parallelism:
    """How an instance is spread over its GPUs."""
    return Parallelism(
        tensor_parallel_size=instance.tensor_parallel_size,
        pipeline_parallel_size=instance.pipeline_parallel_size,
        data_parallel_size=instance.data_parallel_size,
        expert_parallel_size=instance.expert_parallel_size,
    )


def loaded_bytes(architecture: Architecture, instance: Instance) -> float:
    """Bytes of weights that all GPUs of an instance load together."""
    each = weight_bytes_per_gpu(architecture, parallelism(instance), instance.weights)
    return each * instance.gpu_count
