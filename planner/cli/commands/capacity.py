"""`fulcrum capacity`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["capacity"]


def capacity(
    model: Annotated[str, typer.Argument(help="Catalogue name, or the path of a config.json.")],
    gpu: Annotated[list[str], typer.Option(help="GPU type: h100, h200, …; repeat it to compare.")],
    rate: Annotated[str | None, typer.Option(help="Requests to serve: 20/s, 1200/min.")] = None,
    isl: Annotated[int | None, typer.Option(help="Prompt tokens of each request.")] = None,
    osl: Annotated[int | None, typer.Option(help="Output tokens of each request.")] = None,
    lengths: Annotated[
        Path | None, typer.Option(help="Length distribution, instead of --isl and --osl.")
    ] = None,
    trace: Annotated[Path | None, typer.Option(help="Trace, for lengths and rate.")] = None,
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
    top: Annotated[int, typer.Option(help="Ways to show for each GPU type.")] = 3,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> int:
    """Say how many GPUs of which kind one model needs, and in which arrangement; no document needed.

    Exit code 2: no GPU type can do it; the answer then names the closest that would work.
    """
    from models.document import parse_fraction
    from models.errors import InvalidInput
    from planner.capacity import Question, answer
    from planner.capacity.question import fixed_lengths
    from planner.cli.exit_codes import ExitCode
    from planner.cli.quantities import read_prices, read_rate

    targets = {
        "ttft_p50": ttft_p50, "ttft_p90": ttft_p90, "ttft_p95": ttft_p95, "ttft_p99": ttft_p99,
        "tpot_p50": tpot_p50, "tpot_p90": tpot_p90, "tpot_p95": tpot_p95, "tpot_p99": tpot_p99,
    }  # fmt: skip
    workload: dict[str, object] = {}
    if rate is not None:
        workload["rate"] = read_rate(rate)
    given = [
        name
        for name, value in (("--trace", trace), ("--lengths", lengths), ("--isl", isl))
        if value is not None
    ]
    if len(given) != 1 or (isl is None) != (osl is None):
        raise InvalidInput(
            "say how long the requests are: --isl with --osl, or --lengths FILE, or --trace FILE; "
            f"got {', '.join(given + (['--osl'] if osl is not None else [])) or 'none of them'}"
        )
    if trace is not None:
        workload["trace"] = str(trace.absolute())
    elif lengths is not None:
        workload["lengths"] = str(lengths.absolute())
    elif isl is not None and osl is not None:
        workload["lengths"] = fixed_lengths(isl, osl)
    found = answer(
        Question(
            model=model, gpus=tuple(dict.fromkeys(gpu)), workload=workload,
            slo={name: value for name, value in targets.items() if value is not None}, most_gpus=max_gpus,
            gpus_per_node=gpus_per_node, price_per_gpu_hour=read_prices(price or []), weights=weights,
            kv_cache=kv_cache, headroom=parse_fraction(headroom),
        )
    )  # fmt: skip
    if json_:
        from planner.report.capacity import answer_json

        typer.echo(answer_json(found, top), nl=False)
    else:
        from planner.report.capacity import print_answer
        from planner.report.console import make_console

        print_answer(found, make_console(), top)
    return ExitCode.OK if found.feasible else ExitCode.INFEASIBLE
