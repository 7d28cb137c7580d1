"""``--explain``: what was considered for each workload, what binds it, and why the choice is what it is."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from planner.explain.explanation import Explanation, WhyWorkload
from planner.report.numbers import duration, rate

__all__ = ["print_explanation"]


def print_explanation(explanation: Explanation, console: Console) -> None:
    """Print, for each workload, its candidates by price, what binds it and why others were not chosen.

    Then what the fleet would cost otherwise, and what one more node of each pool is worth.
    """
    for workload in explanation.workloads:
        console.print(_table(workload))
        for sentence in workload.sentences:
            console.print(Text(sentence))
    otherwise = [
        *([explanation.ruled_out] if explanation.ruled_out else []),
        *explanation.alternatives,
        *explanation.resharding,
        *(f"one more node of {pool}: {worth}" for pool, worth in explanation.node_worths),
    ]
    if explanation.incomplete:
        otherwise.append("time was over before all of this was asked: --time-limit gives more")
    if otherwise:
        console.print(Text("\notherwise (sized again, everything else free to change)", style="bold"))
    for sentence in otherwise:
        console.print(Text(sentence))


def _table(why: WhyWorkload) -> Table:
    table = Table(
        title=f"\nwhy {why.workload}", title_justify="left", title_style="bold", pad_edge=False, box=None
    )
    for column in ("chosen", "role", "shape", "pool"):
        table.add_column(column)
    for column in ("GPUs", "tokens a step", "rate each", "price of 1,000", "TTFT", "TPOT"):
        table.add_column(column, justify="right")
    for column in ("bound by", "sizing"):
        table.add_column(column)
    for shape in why.shapes:
        table.add_row(
            f"{shape.chosen} ×" if shape.chosen else "",
            shape.role, shape.cut, shape.pool, str(shape.gpus),
            f"{shape.max_num_batched_tokens:,}", rate(shape.capacity_per_s),
            f"{shape.price_per_thousand:.3f}", duration(shape.ttft_ms), duration(shape.tpot_ms), shape.limit,
            "dominated" if shape.dominated else "considered",
        )  # fmt: skip
    return table
