"""`fulcrum init`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from planner.starter import StarterPool

__all__ = ["init"]


def init(
    model: Annotated[
        list[str], typer.Option(help="Model to serve: catalogue name or config.json; repeatable.")
    ],
    out: Annotated[
        Path, typer.Option(help="Fleet document to write; an existing one is not touched.")
    ] = Path("fleet.yaml"),
    gpu: Annotated[
        list[str] | None,
        typer.Option(metavar="GPU[:NODES[xGPUS]]", help="Pool: h100, h100:4, h100:4x8; repeatable."),
    ] = None,
    kubernetes: Annotated[
        Path | None, typer.Option(metavar="NODES.json", help="Pools from `kubectl get nodes -o json`.")
    ] = None,
    price: Annotated[
        list[str] | None, typer.Option(metavar="GPU=PRICE", help="Price of one GPU for one hour: h100=2.50.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the fleet.")] = "fleet",
    rate: Annotated[str, typer.Option(help="Requests to each model.")] = "1/s",
    isl: Annotated[int, typer.Option(help="Prompt tokens.")] = 1000,
    osl: Annotated[int, typer.Option(help="Output tokens.")] = 200,
    ttft_p95: Annotated[str, typer.Option(help="Target for the time to first token.")] = "2s",
    tpot_p95: Annotated[str, typer.Option(help="Target for the time per output token.")] = "50ms",
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a first fleet document, checked by reading it back: edit it, then `fulcrum plan` it."""
    from models.errors import InvalidInput
    from planner.cli.files import write_text
    from planner.cli.quantities import read_pool, read_prices, read_rate
    from planner.fleet import read_fleet
    from planner.starter import pools_of_nodes, starter_document

    if (gpu is None) == (kubernetes is None):
        raise InvalidInput("say which GPUs there are: --gpu h100:4x8, or --kubernetes nodes.json")
    if out.exists():
        raise InvalidInput(f"{out} exists already; remove it or choose another --out")
    prices = read_prices(price or [])
    notes: tuple[str, ...] = ()
    if kubernetes is not None:
        try:
            text = kubernetes.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"cannot read the nodes: {error}", source=str(kubernetes)) from None
        pools, notes = pools_of_nodes(text, source=str(kubernetes))
    else:
        pools = tuple(read_pool(text) for text in gpu or ())
    document = starter_document(
        name, [_priced(pool, prices) for pool in pools], model, rate=read_rate(rate), input_tokens=isl,
        output_tokens=osl, ttft_p95=ttft_p95, tpot_p95=tpot_p95,
    )  # fmt: skip
    read_fleet(document, source=str(out), base_dir=out.parent)
    write_text(out, document)
    if json_:
        from planner.cli.json_out import echo_json

        echo_json({"document": out, "pools": pools, "notes": notes})
        return
    for note in notes:
        typer.echo(f"note: {note}")
    typer.echo(f"{out} written; next: fulcrum plan {out}")


def _priced(pool: StarterPool, prices: dict[str, float]) -> StarterPool:
    """A pool with its price, if one was given for its GPU under any spelling."""
    from dataclasses import replace

    from models.hardware import gpu

    for spelling, price in prices.items():
        if gpu(spelling).name == gpu(pool.gpu).name:
            return replace(pool, price_per_gpu_hour=price)
    return pool
