"""`fulcrum estimate`."""

from __future__ import annotations

from typing import Annotated

import typer

from planner.cli.arguments import rate_per_s
from planner.cli.drafts import (
    Acceptance,
    AcceptanceLength,
    DraftModel,
    SpeculativeMethod,
    SpeculativeTokens,
    speculation,
)

__all__ = ["estimate"]


def estimate(
    model: Annotated[str, typer.Argument(help="Catalogue name, or the path of a config.json.")],
    gpu: Annotated[str, typer.Option(help="GPU type: h100, h200-sxm-141gb, …")],
    isl: Annotated[int, typer.Option(help="Prompt tokens of each request.")],
    osl: Annotated[int, typer.Option(help="Output tokens of each request.")],
    concurrency: Annotated[int | None, typer.Option(help="Requests in flight (closed loop).")] = None,
    rate: Annotated[
        float | None,
        typer.Option(parser=rate_per_s, metavar="RATE", help="Requests per second (random arrivals)."),
    ] = None,
    tp: Annotated[int, typer.Option(help="Tensor-parallel size.")] = 1,
    pp: Annotated[int, typer.Option(help="Pipeline-parallel size.")] = 1,
    dp: Annotated[int, typer.Option(help="Attention data-parallel size.")] = 1,
    ep: Annotated[int, typer.Option(help="Expert-parallel size.")] = 1,
    engine: Annotated[str, typer.Option(help="vllm, sglang or tensorrt-llm.")] = "vllm",
    weights: Annotated[str, typer.Option(help="Weight precision (default: the checkpoint's).")] = "",
    kv_cache: Annotated[str, typer.Option(help="KV cache precision.")] = "bf16",
    max_num_seqs: Annotated[int, typer.Option(help="Most requests in a running batch.")] = 256,
    max_num_batched_tokens: Annotated[int, typer.Option(help="Most tokens in a step.")] = 8192,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    reuse: Annotated[float, typer.Option(help="Share of each prompt that is already in the cache.")] = 0.0,
    speculative_tokens: SpeculativeTokens = 0,
    acceptance: Acceptance = None,
    acceptance_length: AcceptanceLength = None,
    speculative_method: SpeculativeMethod = "mtp",
    draft_model: DraftModel = None,
    burstiness: Annotated[
        float, typer.Option(help="Of the arrivals at a rate: 1 Poisson, less in bursts, as in vLLM.")
    ] = 1.0,
) -> None:
    """Predict latency and throughput of one configuration, with intervals."""
    from models.architecture import resolve
    from models.profiles.device import find_gpu
    from models.serving import Configuration, InstanceModel, Parallelism
    from models.serving import engine as find_engine
    from models.serving.estimate import estimate as run
    from planner.report.estimate import estimate_text

    architecture = resolve(model)
    instance = InstanceModel.of(
        Configuration(
            architecture=architecture,
            gpu=find_gpu(gpu),
            parallelism=Parallelism(
                tensor_parallel_size=tp,
                pipeline_parallel_size=pp,
                data_parallel_size=dp,
                expert_parallel_size=ep,
            ),
            engine=find_engine(engine),
            weights=weights or architecture.checkpoint_precision,
            kv_cache=kv_cache,
            max_num_seqs=max_num_seqs,
            max_num_batched_tokens=max_num_batched_tokens,
            speculation=speculation(
                speculative_tokens, acceptance, acceptance_length, speculative_method, draft_model
            ),
        )
    )
    found = run(
        instance,
        input_tokens=isl,
        output_tokens=osl,
        concurrency=concurrency,
        rate_per_s=rate,
        reuse=reuse,
        burstiness=burstiness,
    )
    if json_:
        from planner.cli.json_out import echo_json

        echo_json({"configuration": str(instance.configuration), "estimate": found})
        return
    typer.echo(estimate_text(instance, found), nl=False)
