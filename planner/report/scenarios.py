"""Scenarios as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from planner.plan import Plan
from planner.plan.cut import cut_label
from planner.report.numbers import duration, money, rate
from planner.report.transition import clock_time
from planner.scenarios.pareto import Point
from planner.scenarios.sweep import Sweep
from planner.scenarios.what_if import Comparison

__all__ = ["print_comparison", "print_frontier", "print_sweep"]


def print_comparison(found: Comparison, console: Console) -> None:
    """Both plans side by side, what would move, and why there is no plan where there is none."""
    console.print(Text(f"what if: {'; '.join(found.words)}", style="bold"))
    table = _table("\n", "", ">as it is", ">with the changes")
    before, after = found.before, found.after
    table.add_row("state", before.state, after.state)
    table.add_row("price", _price(before), _price(after))
    used = [{pool.name: pool.gpus_used for pool in plan.pools} for plan in (before, after)]
    for name in dict.fromkeys((*used[0], *used[1])):
        table.add_row(f"GPUs of {name}", *(str(one.get(name, "–")) for one in used))
    for w in before.workloads:
        other = next(o for o in after.workloads if o.name == w.name)
        table.add_row(f"{w.name} demand", rate(w.demand_per_s), rate(other.demand_per_s))
        table.add_row(
            f"{w.name} after a loss", rate(w.surviving_capacity_per_s), rate(other.surviving_capacity_per_s)
        )
        table.add_row(f"{w.name} TTFT", duration(w.ttft_ms), duration(other.ttft_ms))
        table.add_row(f"{w.name} TPOT", duration(w.tpot_ms), duration(other.tpot_ms))
        table.add_row(f"{w.name} runs on", _shapes(before, w.name), _shapes(after, w.name))
    console.print(table)
    actions = Counter(move.action for move in after.moves)
    if after.transition is not None:
        moves = ", ".join(f"{count} {action}" for action, count in sorted(actions.items())) or "nothing"
        console.print(
            Text(f"on the way: {moves}; {clock_time(after.transition.duration_s)} until all is done")
        )
    for plan, which in ((before, "as it is"), (after, "with the changes")):
        if plan.diagnosis is not None:
            console.print(Text(f"{which}: {plan.diagnosis.message}. Closest: {plan.diagnosis.closest}."))


def print_frontier(points: Sequence[Point], console: Console) -> None:
    """One row for each share of the targets."""
    table = _table("cost against latency headroom", ">headroom", "state", ">price", ">GPUs", "latencies", "")
    for point in points:
        latencies = ", ".join(
            f"{w.name} {duration(w.ttft_ms)} / {duration(w.tpot_ms)}" for w in point.plan.workloads
        )
        table.add_row(
            f"{100 * (1 - point.share):.0f} %", point.plan.state, _price(point.plan),
            str(sum(pool.gpus_used for pool in point.plan.pools)), latencies,
            "" if point.efficient or not point.plan.instances else "dominated",
        )  # fmt: skip
    console.print(table)
    last = points[-1].plan
    if last.diagnosis is not None:
        console.print(Text(f"beyond: {last.diagnosis.message}"))


def print_sweep(found: Sweep, console: Console) -> None:
    """The fleet as it is, and one row for each change."""
    if found.before is None:
        return
    table = _table("each change by itself", "", "state", ">price", ">change", ">GPUs", "on the way", "")
    base = found.before
    rows = [("as it is", base), *((scenario.words, scenario.plan) for scenario in found.scenarios)]
    for words, plan in rows:
        change = (
            f"{plan.cost_per_hour - base.cost_per_hour:+,.2f}" if plan.instances and base.instances else "–"
        )
        moves = Counter(move.action for move in plan.moves)
        way = ", ".join(f"{count} {action}" for action, count in sorted(moves.items()))
        if plan.transition is not None:
            way = f"{way or 'nothing'}; {clock_time(plan.transition.duration_s)}"
        why = f"{plan.diagnosis.message}. Closest: {plan.diagnosis.closest}." if plan.diagnosis else ""
        used = sum(pool.gpus_used for pool in plan.pools)
        table.add_row(words, plan.state, _price(plan), "" if plan is base else change, str(used), way, why)
    console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", pad_edge=False, box=None)
    for column in columns:
        table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left")
    return table


def _price(plan: Plan) -> str:
    return money(plan.cost_per_hour) if plan.instances else "–"


def _shapes(plan: Plan, workload: str) -> str:
    shapes = Counter(f"{i.role} {cut_label(i)} {i.pool}" for i in plan.instances if i.workload == workload)
    return ", ".join(f"{count} × {shape}" for shape, count in sorted(shapes.items())) or "–"
