"""`fulcrum simulate`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
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

__all__ = ["simulate"]


def simulate(
    trace: Annotated[
        Path | None,
        typer.Argument(metavar="[TRACE]", help="Requests: Azure 2023, BurstGPT, Mooncake, or any CSV."),
    ] = None,
    *,
    model: Annotated[str, typer.Option(help="Catalogue name, or the path of a config.json.")],
    gpu: Annotated[str, typer.Option(help="GPU type: h100, h200-sxm-141gb, …")],
    columns: Annotated[
        str, typer.Option(help="Columns of another CSV: arrival=NAME,input=NAME,output=NAME.")
    ] = "",
    scale: Annotated[float, typer.Option(help="Arrivals this many times as fast.")] = 1.0,
    lengths: Annotated[
        Path | None, typer.Option(help="A length table to draw from, instead of a trace.")
    ] = None,
    requests: Annotated[int, typer.Option(help="Requests drawn from the length table.")] = 10_000,
    rate: Annotated[
        float | None,
        typer.Option(parser=rate_per_s, metavar="RATE", help="Requests per second (with --lengths)."),
    ] = None,
    variation: Annotated[
        float, typer.Option(help="Coefficient of variation of the gaps: 1 Poisson, more in bursts.")
    ] = 1.0,
    burstiness: Annotated[
        float | None, typer.Option(help="The same as vLLM has it, 1 ÷ variation²: less than 1 in bursts.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(help="Requests in flight, instead of arrivals (closed loop).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of drawn lengths and arrivals.")] = 0,
    reuse: Annotated[float, typer.Option(help="Share of each prompt that is already in the cache.")] = 0.0,
    prefix_cache: Annotated[
        bool, typer.Option(help="Keep blocks of prompts, where the trace says which are alike.")
    ] = True,
    prefill: Annotated[int, typer.Option(help="Prefill-only instances, with --decode.")] = 0,
    decode: Annotated[int, typer.Option(help="Decode-only instances, with --prefill.")] = 0,
    tp: Annotated[int, typer.Option(help="Tensor-parallel size.")] = 1,
    pp: Annotated[int, typer.Option(help="Pipeline-parallel size.")] = 1,
    decode_tp: Annotated[
        int | None, typer.Option(help="Tensor-parallel size of decode instances (default: --tp).")
    ] = None,
    engine: Annotated[str, typer.Option(help="vllm, sglang or tensorrt-llm.")] = "vllm",
    weights: Annotated[str, typer.Option(help="Weight precision (default: the checkpoint's).")] = "",
    kv_cache: Annotated[str, typer.Option(help="KV cache precision.")] = "bf16",
    max_num_seqs: Annotated[int, typer.Option(help="Most requests in a running batch.")] = 256,
    max_num_batched_tokens: Annotated[int, typer.Option(help="Most tokens in a step.")] = 8192,
    speculative_tokens: SpeculativeTokens = 0,
    acceptance: Acceptance = None,
    acceptance_length: AcceptanceLength = None,
    speculative_method: SpeculativeMethod = "mtp",
    draft_model: DraftModel = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Replay a trace, or draw requests from a length table, and print the latencies of the requests.

    One instance serves them, or `--prefill N --decode M` instances that hand the cache over.
    """
    from models.architecture import resolve
    from models.errors import InvalidInput
    from models.profiles.device import find_gpu
    from models.serving import Configuration, InstanceModel, Parallelism, Role
    from models.serving import engine as find_engine
    from models.serving.disaggregated import simulate_disaggregated
    from models.serving.estimate import summary
    from models.serving.simulator import simulate as run
    from models.workload import Columns, Trace, arrivals_s, load_lengths, read_trace
    from models.workload.arrivals import variation_of
    from planner.report.estimate import estimate_text

    if (trace is None) == (lengths is None):
        raise InvalidInput("give a trace, or a length table with --lengths: one of the two")
    if trace is not None:
        if burstiness is not None:
            raise InvalidInput("--burstiness goes with --lengths; a trace has its own arrivals")
        if rate is not None:
            raise InvalidInput("--rate goes with --lengths; use --scale for a trace")
        work = read_trace(trace, Columns.parse(columns) if columns else None).scaled(scale)
    else:
        if (rate is None) == (concurrency is None):
            raise InvalidInput("a length table needs --rate or --concurrency: one of the two")
        assert lengths is not None
        if burstiness is not None:
            if variation != 1.0:
                raise InvalidInput("--variation and --burstiness say the same: give one of the two")
            variation = variation_of(burstiness)
        inputs, outputs = load_lengths(lengths).sample(requests, seed)
        work = Trace(
            arrivals_s=arrivals_s(requests, rate or 1.0, variation=variation, seed=seed),
            input_tokens=inputs, output_tokens=outputs, source=str(lengths),
        )  # fmt: skip
    if bool(prefill) != bool(decode) or min(prefill, decode) < 0:
        raise InvalidInput(f"--prefill and --decode go together, got {prefill} and {decode}")
    if prefill and concurrency is not None:
        raise InvalidInput("prefill and decode instances are simulated with arrivals, not --concurrency")
    architecture = resolve(model)
    drafts = speculation(speculative_tokens, acceptance, acceptance_length, speculative_method, draft_model)

    def instance(role: Role, tensor: int) -> InstanceModel:
        return InstanceModel.of(
            Configuration(
                architecture=architecture, gpu=find_gpu(gpu), role=role,
                parallelism=Parallelism(tensor_parallel_size=tensor, pipeline_parallel_size=pp),
                engine=find_engine(engine), weights=weights or architecture.checkpoint_precision,
                kv_cache=kv_cache, max_num_seqs=max_num_seqs,
                max_num_batched_tokens=max_num_batched_tokens, speculation=drafts,
            )
        )  # fmt: skip

    prefixes = work.prefixes if prefix_cache and not reuse else None
    if prefill:
        sides = instance("prefill", tp), instance("decode", decode_tp or tp)
        both = simulate_disaggregated(
            *sides, work.input_tokens, work.output_tokens, arrivals_s=work.arrivals_s,
            prefill_instances=prefill, decode_instances=decode, prefixes=prefixes, reuse=reuse,
        )  # fmt: skip
        gpus = prefill * sides[0].configuration.gpus + decode * sides[1].configuration.gpus
        found = both.requests
        shown = summary(sides[1], found)
        each = found.output_tokens_per_s / gpus
        shown, model_of = replace(shown, output_tokens_per_s_per_gpu=each), sides[1]
    else:
        one = instance("mixed", tp)
        found = run(
            one, work.input_tokens, work.output_tokens, concurrency=concurrency, prefixes=prefixes,
            reuse=reuse, arrivals_s=None if concurrency else work.arrivals_s,
        )  # fmt: skip
        shown, model_of = summary(one, found), one
    share = found.reused_prompt_tokens / float(work.input_tokens.sum() + found.recomputed_tokens)
    if json_:
        from planner.cli.json_out import echo_json

        echo_json(
            {
                "configuration": str(model_of.configuration), "requests": len(work), "simulated": shown,
                "prompt_share_found_in_cache": share,
            }
        )  # fmt: skip
        return
    typer.echo(estimate_text(model_of, shown), nl=False)
    if found.reused_prompt_tokens:
        typer.echo(f"prompt tokens found in the cache: {share:.1%}")
