"""Compiling the analysis before it is needed."""

from __future__ import annotations

__all__ = ["compile_analysis"]


def compile_analysis() -> None:
    """Analyse one instance, so that the kernels are compiled and on disk."""
    from models.architecture import architecture
    from models.hardware import gpu
    from models.serving.analysis.table import analyse_table
    from models.serving.capacity import Targets
    from models.serving.configuration import Configuration, InstanceModel
    from models.serving.engine import engine
    from models.serving.parallelism import Parallelism
    from models.workload import LengthDistribution

    instance = InstanceModel.of(
        Configuration(
            architecture=architecture("llama-3.1-8b"), gpu=gpu("l4"),
            parallelism=Parallelism(tensor_parallel_size=2), engine=engine("vllm"),
        )
    )  # fmt: skip
    analyse_table([instance], LengthDistribution.fixed(100, 10), Targets(ttft_ms=1000.0, tpot_ms=100.0))
