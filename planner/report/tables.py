"""A plan as tables in the terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from planner.plan import Instance, Plan, Stage
from planner.report.numbers import duration, money, rate, share
from planner.report.schedule import schedule_tables
from planner.report.transition import print_transition
from planner.report.verification import verification_table

__all__ = ["print_plan"]

MOST_ROWS = 40
"""Longer lists are cut: a plan of a thousand nodes is read from its JSON."""


def print_plan(plan: Plan, console: Console) -> None:
    """Print headline, workloads, instances, pools, goals, moves and what the numbers rest on."""
    console.print(_headline(plan), highlight=False)
    if plan.instances:
        console.print(_workloads(plan))
        console.print(_groups(plan))
        console.print(_placement(plan))
        console.print(_pools(plan))
    if any(instance.adapters for instance in plan.instances):
        console.print(_adapters(plan))
    if any(moved.fullest_link for moved in plan.kv_transfers):
        console.print(_kv_transfers(plan))
    if plan.schedule is not None:
        for table in schedule_tables(plan.schedule):
            console.print(table)
    if plan.verification is not None:
        console.print(verification_table(plan.verification))
    if plan.objectives:
        console.print(_objectives(plan))
    if plan.moves:
        console.print(_moves(plan))
    if plan.transition is not None:
        print_transition(plan.transition, console)
    for note in plan.notes:
        console.print(Text(f"note: {note}"))


def _table(title: str, *columns: str) -> Table:
    """Return an empty table; a column that starts with ``>`` is right-aligned."""
    table = Table(title=title, title_justify="left", title_style="bold", pad_edge=False, box=None)
    for column in columns:
        table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left")
    return table


def _headline(plan: Plan) -> Text:
    used = sum(p.gpus_used / p.gpu_parts for p in plan.pools)
    total = sum(p.nodes * p.gpus_per_node // p.gpu_parts for p in plan.pools)
    text = f"fleet {plan.fleet}: {plan.state}, {used:g} of {total} GPUs, {money(plan.cost_per_hour)}"
    return Text(text, style="bold")


def _workloads(plan: Plan) -> Table:
    table = _table(
        "\nworkloads", "workload", ">demand", ">capacity", ">after a loss", ">unserved", ">TTFT", "target",
        ">TPOT", "target",
    )  # fmt: skip
    for w in plan.workloads:
        table.add_row(
            w.name, rate(w.demand_per_s), rate(w.capacity_per_s), rate(w.surviving_capacity_per_s),
            rate(w.unserved_per_s) if w.unserved_per_s > 0 else "–",
            duration(w.ttft_ms), f"p{w.ttft_percentile:g} ≤ {duration(w.ttft_target_ms)}",
            duration(w.tpot_ms), f"p{w.tpot_percentile:g} ≤ {duration(w.tpot_target_ms)}",
        )  # fmt: skip
    return table


def _groups(plan: Plan) -> Table:
    """Equal instances are one row."""
    groups: dict[tuple[str, ...], list[Instance]] = defaultdict(list)
    for instance in plan.instances:
        groups[instance.shape].append(instance)
    # only models with experts have more than tensor and pipeline parallelism
    shared = any(max(i.data_parallel_size, i.expert_parallel_size) > 1 for i in plan.instances)
    table = _table(
        "\ninstances", ">", "workload", "role", "GPU", ">TP", ">PP", *((">DP", ">EP") if shared else ()),
        "weights", "KV", ">rate each", ">of", ">TTFT", ">TPOT", ">price each",
    )  # fmt: skip
    for group in groups.values():
        one, expected = group[0], group[0].expected
        degrees = (str(one.data_parallel_size), str(one.expert_parallel_size)) if shared else ()
        table.add_row(
            f"{len(group)} ×", one.workload, one.role, one.gpu, str(one.tensor_parallel_size),
            str(one.pipeline_parallel_size), *degrees, one.weights, one.kv_cache, rate(expected.rate_per_s),
            rate(expected.capacity_per_s), duration(expected.ttft_ms), duration(expected.tpot_ms),
            money(one.price_per_hour),
        )  # fmt: skip
    return table


def _placement(plan: Plan) -> Table:
    """Nodes with what runs on them."""
    nodes: dict[str, list[str]] = defaultdict(list)
    for instance in plan.instances:
        parts: dict[str, list[str]] = defaultdict(list)
        for stage in instance.stages:
            parts[stage.node].append(_indices(stage.gpus, instance.gpu_parts))
        for node, stages in parts.items():
            nodes[node].append(f"{instance.name} [{' | '.join(stages)}]")
    table = _table("\nplacement", "node", "instances [GPUs of a stage | of the next]")
    for node in sorted(nodes)[:MOST_ROWS]:
        table.add_row(node, ", ".join(nodes[node]))
    _cut(table, len(nodes), "nodes")
    return table


def _pools(plan: Plan) -> Table:
    table = _table("\npools", "pool", "GPU", ">nodes", ">GPUs used", ">of", ">price")
    for p in plan.pools:
        used, total = p.gpus_used / p.gpu_parts, p.nodes * p.gpus_per_node // p.gpu_parts
        table.add_row(p.name, p.gpu, str(p.nodes), f"{used:g}", str(total), money(p.cost_per_hour))
    return table


def _adapters(plan: Plan) -> Table:
    table = _table("\nadapters", "instance", ">slots", ">in use", "adapters")
    holding = [instance for instance in plan.instances if instance.adapters]
    for instance in holding[:MOST_ROWS]:
        said = ", ".join(f"{slot.name} {rate(slot.rate_per_s)}" for slot in instance.adapters)
        table.add_row(instance.name, str(instance.adapter_slots), str(len(instance.adapters)), said)
    _cut(table, len(holding), "instances")
    return table


def _kv_transfers(plan: Plan) -> Table:
    table = _table(
        "\nKV caches from prefill to decode", "workload", "zone", ">GB/s", ">stay on a node", ">in a rack",
        "fullest link", ">of its bandwidth",
    )  # fmt: skip
    for moved in plan.kv_transfers:
        table.add_row(
            moved.workload, moved.zone, f"{moved.bytes_per_s / 1e9:,.3g}", share(moved.within_nodes),
            share(moved.within_racks), moved.fullest_link or "–",
            "–" if moved.fullest_share is None else share(moved.fullest_share),
        )  # fmt: skip
    return table


def _objectives(plan: Plan) -> Table:
    table = _table("\ngoals", "stage", "goal", ">value", ">proven bound", ">gap")
    for o in plan.objectives:
        bound = "unproven" if o.bound is None else f"{o.bound + 0.0:,.4g}"
        table.add_row(o.stage, o.name, f"{o.value:,.4g}", bound, share(o.gap))
    return table


def _moves(plan: Plan) -> Table:
    table = _table("\nmoves from the current plan", "action", "instance", "from", "to")
    for move in plan.moves[:MOST_ROWS]:
        table.add_row(move.action, move.instance, _place(move.from_stages), _place(move.to_stages))
    _cut(table, len(plan.moves), "moves")
    return table


def _cut(table: Table, count: int, what: str) -> None:
    if count > MOST_ROWS:
        table.add_row("…", f"and {count - MOST_ROWS} more {what}")


def _place(stages: Sequence[Stage]) -> str:
    return ", ".join(f"{stage.node} [{_indices(stage.gpus)}]" for stage in stages) or "–"


def _indices(gpus: Sequence[int], parts: int = 1) -> str:
    """``0-3`` for consecutive indices, else all of them; ``2.1`` for a part of GPU 2."""
    if parts > 1:
        return ",".join(f"{index // parts}.{index % parts}" for index in gpus)
    if len(gpus) > 1 and gpus[-1] - gpus[0] == len(gpus) - 1:
        return f"{gpus[0]}-{gpus[-1]}"
    return ",".join(map(str, gpus))
