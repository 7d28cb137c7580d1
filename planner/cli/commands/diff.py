"""`fulcrum diff`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["diff"]


def diff(
    base: Annotated[Path, typer.Argument(metavar="BASE.json", help="The plan to start from.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET.json", help="The plan to arrive at.")],
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what changes from one plan to another: instances, places, price."""
    import dataclasses
    import json

    from planner.cli.files import read_plan
    from planner.plan.moves import moves_between
    from planner.report.numbers import money

    before, after = read_plan(base), read_plan(target)
    if before.fleet != after.fleet:
        typer.echo(f"note: these are plans of two fleets, {before.fleet} and {after.fleet}", err=True)
    moves = moves_between(before.instances, after.instances)
    touched = {move.instance for move in moves}
    unchanged = sum(instance.name not in touched for instance in after.instances)
    if json_:
        change = after.cost_per_hour - before.cost_per_hour
        found = {
            "moves": [dataclasses.asdict(move) for move in moves],
            "unchanged": unchanged,
            "price_per_hour_change": change,
        }
        typer.echo(json.dumps(found, indent=2))
        return
    for move in moves:
        places = [
            ", ".join(f"{stage.node} [{','.join(map(str, stage.gpus))}]" for stage in stages)
            for stages in (move.from_stages, move.to_stages)
            if stages
        ]
        typer.echo(f"{move.action:<6}{move.instance}  {' → '.join(places)}")
    typer.echo(
        f"{len(moves)} moves, {unchanged} instances stay, "
        f"{money(before.cost_per_hour)} → {money(after.cost_per_hour)}"
    )
