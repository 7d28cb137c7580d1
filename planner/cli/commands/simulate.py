"""`fulcrum simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["simulate"]


def simulate(
    trace: Annotated[Path, typer.Argument(metavar="TRACE.csv", help="Requests in the Azure 2023 format.")],
    model: Annotated[str, typer.Option(help="Catalogue name, or the path of a config.json.")],
    gpu: Annotated[str, typer.Option(help="GPU type: h100, h200-sxm-141gb, …")],
    scale: Annotated[float, typer.Option(help="Arrivals this many times as fast.")] = 1.0,
    tp: Annotated[int, typer.Option(help="Tensor-parallel size.")] = 1,
    pp: Annotated[int, typer.Option(help="Pipeline-parallel size.")] = 1,
    engine: Annotated[str, typer.Option(help="vllm, sglang or tensorrt-llm.")] = "vllm",
    weights: Annotated[str, typer.Option(help="Weight precision (default: the checkpoint's).")] = "",
    kv_cache: Annotated[str, typer.Option(help="KV cache precision.")] = "bf16",
    max_num_seqs: Annotated[int, typer.Option(help="Most requests in a running batch.")] = 256,
    max_num_batched_tokens: Annotated[int, typer.Option(help="Most tokens in a step.")] = 8192,
) -> None:
    """Replay a trace on one instance and print the latencies of its requests."""
    from models.architecture import resolve
    from models.profiles.device import find_gpu
    from models.serving import Configuration, InstanceModel, Parallelism
    from models.serving import engine as find_engine
    from models.serving.estimate import summary
    from models.serving.simulator import simulate as run
    from models.workload import read_azure_trace
    from planner.report.estimate import estimate_text

    requests = read_azure_trace(trace).scaled(scale)
    architecture = resolve(model)
    instance = InstanceModel.of(
        Configuration(
            architecture=architecture,
            gpu=find_gpu(gpu),
            parallelism=Parallelism(tensor_parallel_size=tp, pipeline_parallel_size=pp),
            engine=find_engine(engine),
            weights=weights or architecture.checkpoint_precision,
            kv_cache=kv_cache,
            max_num_seqs=max_num_seqs,
            max_num_batched_tokens=max_num_batched_tokens,
        )
    )
    found = run(instance, requests.input_tokens, requests.output_tokens, arrivals_s=requests.arrivals_s)
    typer.echo(estimate_text(instance, summary(instance, found)), nl=False)
