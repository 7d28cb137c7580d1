"""`fulcrum capacity`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.arguments import seconds
from planner.cli.drafts import (
    Acceptance,
    AcceptanceLength,
    DraftModel,
    SpeculativeMethod,
    SpeculativeTokens,
    speculative_entry,
)

__all__ = ["capacity"]


def capacity(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(metavar="MODEL|FLEET.yaml", help="Catalogue name, config.json, or a document.")
    ],
    gpu: Annotated[
        list[str] | None, typer.Option(help="GPU type: h100, h200, …; repeat it to compare.")
    ] = None,
    rate: Annotated[str | None, typer.Option(help="Requests to serve: 20/s, 1200/min.")] = None,
    isl: Annotated[int | None, typer.Option(help="Prompt tokens of each request.")] = None,
    osl: Annotated[int | None, typer.Option(help="Output tokens of each request.")] = None,
    lengths: Annotated[
        Path | None, typer.Option(help="Length distribution, instead of --isl and --osl.")
    ] = None,
    trace: Annotated[Path | None, typer.Option(help="Trace, for lengths and rate.")] = None,
    columns: Annotated[
        str, typer.Option(help="Columns of another CSV: arrival=NAME,input=NAME,output=NAME.")
    ] = "",
    ttft_p50: Annotated[str | None, typer.Option(help="Target for the median time to first token.")] = None,
    ttft_p90: Annotated[str | None, typer.Option(help="… for its 90th percentile.")] = None,
    ttft_p95: Annotated[str | None, typer.Option(help="… for its 95th percentile: 1s.")] = None,
    ttft_p99: Annotated[str | None, typer.Option(help="… for its 99th percentile.")] = None,
    tpot_p50: Annotated[str | None, typer.Option(help="Target for the median time per output token.")] = None,
    tpot_p90: Annotated[str | None, typer.Option(help="… for its 90th percentile.")] = None,
    tpot_p95: Annotated[str | None, typer.Option(help="… for its 95th percentile: 30ms.")] = None,
    tpot_p99: Annotated[str | None, typer.Option(help="… for its 99th percentile.")] = None,
    max_gpus: Annotated[
        int | None, typer.Option(help="GPUs there are; without a rate: how much do they serve?")
    ] = None,
    gpus_per_node: Annotated[int, typer.Option(help="GPUs in a node.")] = 8,
    price: Annotated[
        list[str] | None, typer.Option(metavar="GPU=PRICE", help="Price of one GPU for one hour: h100=2.50.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="Weight precision (default: the checkpoint's).")] = None,
    kv_cache: Annotated[str | None, typer.Option(help="KV cache precision (default: bf16).")] = None,
    headroom: Annotated[str, typer.Option(help="Capacity beyond the rate: 20%.")] = "0%",
    reuse: Annotated[
        str | None, typer.Option(help="Share of each prompt that is already in the cache: 40%.")
    ] = None,
    burstiness: Annotated[
        float | None, typer.Option(help="Of the arrivals: 1 Poisson, less in bursts, as in vLLM.")
    ] = None,
    speculative_tokens: SpeculativeTokens = 0,
    acceptance: Acceptance = None,
    acceptance_length: AcceptanceLength = None,
    speculative_method: SpeculativeMethod = "mtp",
    draft_model: DraftModel = None,
    growth: Annotated[
        list[str] | None, typer.Option(metavar="SHARE", help="With a document: load beyond today's: 25%.")
    ] = None,
    time_limit: Annotated[
        float, typer.Option(metavar="TIME", help="With a document: for all its solves.", parser=seconds)
    ] = 60.0,
    top: Annotated[int, typer.Option(min=1, help="Ways to show for each GPU type.")] = 3,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> int:
    """Say how many GPUs of which kind a model needs, and in which arrangement; no document needed.

    With a fleet document: what its workloads need beside what there is, and what to buy for more load.

    Exit code 2: it cannot be done; the answer then names the closest that would work.
    """
    from planner.cli.capacity import ask, ask_fleet, is_document
    from planner.cli.exit_codes import ExitCode
    from planner.report.console import make_console

    if is_document(model):
        from planner.report.fleet_capacity import fleet_capacity_json, print_fleet_capacity

        given = [
            f"--{name.replace('_', '-')}"
            for name in context.params
            if name not in ("model", "growth", "time_limit", "json_")
            and getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
        ]
        whole = ask_fleet(Path(model), flags=given, growth=growth or (), time_limit=time_limit, quiet=json_)
        if json_:
            typer.echo(fleet_capacity_json(whole), nl=False)
        else:
            print_fleet_capacity(whole, make_console())
        return ExitCode.OK if whole.feasible else ExitCode.INFEASIBLE
    if growth:
        raise typer.BadParameter("--growth is for a fleet document; for a model use --rate and --headroom")
    targets = {
        "ttft_p50": ttft_p50, "ttft_p90": ttft_p90, "ttft_p95": ttft_p95, "ttft_p99": ttft_p99,
        "tpot_p50": tpot_p50, "tpot_p90": tpot_p90, "tpot_p95": tpot_p95, "tpot_p99": tpot_p99,
    }  # fmt: skip
    found = ask(
        model, gpus=gpu or (), rate=rate, isl=isl, osl=osl, lengths=lengths, trace=trace, columns=columns,
        targets={name: value for name, value in targets.items() if value is not None},
        max_gpus=max_gpus, gpus_per_node=gpus_per_node, prices=price or (), weights=weights,
        kv_cache=kv_cache, headroom=headroom, reuse=reuse, burstiness=burstiness,
        speculative=speculative_entry(
            speculative_tokens, acceptance, acceptance_length, speculative_method, draft_model
        ),
    )  # fmt: skip
    if json_:
        from planner.report.capacity import answer_json

        typer.echo(answer_json(found, top), nl=False)
    else:
        from planner.report.capacity import print_answer

        print_answer(found, make_console(), top)
    return ExitCode.OK if found.feasible else ExitCode.INFEASIBLE
