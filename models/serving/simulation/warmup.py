"""Compiling the simulator before it is needed."""

from __future__ import annotations

__all__ = ["compile_simulation"]


def compile_simulation() -> None:
    """Simulate two requests, so that the loop is compiled and on disk."""
    from models.architecture import architecture
    from models.hardware import gpu
    from models.serving.configuration import Configuration, InstanceModel
    from models.serving.engine import engine
    from models.serving.parallelism import Parallelism
    from models.serving.simulator import simulate

    instance = InstanceModel.of(
        Configuration(
            architecture=architecture("llama-3.1-8b"), gpu=gpu("l4"),
            parallelism=Parallelism(tensor_parallel_size=2), engine=engine("vllm"),
        )
    )  # fmt: skip
    simulate(instance, [100, 20], [10, 20], arrivals_s=[0.0, 1.0])
