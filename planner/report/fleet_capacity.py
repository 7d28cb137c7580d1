"""The capacity of a fleet for people and for programs."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from planner.capacity.fleet_answer import FleetAnswer, Growth
from planner.report.capacity import arrangement, way_dict
from planner.report.numbers import money, rate

__all__ = ["fleet_capacity_json", "print_fleet_capacity"]


def print_fleet_capacity(answer: FleetAnswer, console: Console) -> None:
    """Print the verdict, what each workload needs of each pool alone, and what to buy for more load."""
    console.print(Text(_headline(answer), style="bold"), highlight=False, soft_wrap=True)
    table = _table("\neach workload as if it were alone", "workload", "demand", "pool", ">GPUs", ">of",
                   ">price", "instances")  # fmt: skip
    for one in answer.alone:
        if one.way is None:
            table.add_row(one.workload, rate(one.demand_per_s), one.pool, "–", str(one.gpus_there), "–",
                          "cannot serve it within the targets")  # fmt: skip
            continue
        table.add_row(
            one.workload, rate(one.demand_per_s), one.pool, str(one.way.gpus), str(one.gpus_there),
            money(one.way.price_per_hour), arrangement(one.way),
        )  # fmt: skip
    console.print(table)
    pools = [pool.name for pool in answer.fleet.pools]
    table = _table(
        "\nall of them together", "load", *(f">{name}, GPUs" for name in pools), ">price", "to buy"
    )
    for growth in answer.growth:
        if growth.cost_per_hour is None:
            table.add_row(f"× {growth.factor:g}", *("–" for _ in pools), "–", growth.reason)
            continue
        table.add_row(
            f"× {growth.factor:g}", *(f"{p.gpus_used} of {p.gpus_there}" for p in growth.pools),
            money(growth.cost_per_hour), _shopping(growth) or "nothing",
        )  # fmt: skip
    console.print(table)
    if answer.fleet.policies.loss_of is not None:
        console.print(
            Text(f"together, and not alone, the loss of a {answer.fleet.policies.loss_of} is survived"),
            soft_wrap=True,
        )


def _headline(answer: FleetAnswer) -> str:
    first, most = answer.growth[0], answer.largest_factor
    name = f"fleet {answer.fleet.name}"
    if first.fits:
        head = f"room for {100 * (most - 1):.0f} % more" if most < 64 else "room for 64 times the load"
        return f"{name} carries its load at {money(first.cost_per_hour or 0.0)}, with {head}"
    if first.cost_per_hour is None:
        return f"{name} cannot carry its load: {first.reason}"
    return f"{name} carries {100 * most:.0f} % of its load; it lacks {_shopping(first)}"


def _shopping(growth: Growth) -> str:
    return ", ".join(
        f"{pool.nodes_missing} node{'s' if pool.nodes_missing > 1 else ''} of {pool.pool}"
        for pool in growth.pools
        if pool.nodes_missing
    )


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in columns:
        table.add_column(name.lstrip(">"), justify="right" if name.startswith(">") else "left")
    return table


def fleet_capacity_json(answer: FleetAnswer) -> str:
    """Return the answer as JSON text."""
    return json.dumps(_values(answer), indent=2, ensure_ascii=False) + "\n"


def _values(answer: FleetAnswer) -> dict[str, Any]:
    return {
        "fleet": answer.fleet.name,
        "feasible": answer.feasible,
        "largest_factor": answer.largest_factor,
        "alone": [
            {
                "workload": one.workload, "pool": one.pool, "demand_per_s": one.demand_per_s,
                "gpus_there": one.gpus_there, "way": None if one.way is None else way_dict(one.way),
            }
            for one in answer.alone
        ],
        "growth": [
            {
                "factor": growth.factor, "fits": growth.fits, "cost_per_hour": growth.cost_per_hour,
                "reason": growth.reason or None,
                "pools": [
                    {
                        "pool": pool.pool, "gpus_used": pool.gpus_used, "gpus_there": pool.gpus_there,
                        "nodes_missing": pool.nodes_missing,
                    }
                    for pool in growth.pools
                ],
            }
            for growth in answer.growth
        ],
    }  # fmt: skip
