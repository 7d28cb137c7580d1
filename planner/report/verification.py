"""What the simulator saw, as a table."""

from __future__ import annotations

from rich.table import Table

from planner.plan.verification import LatencySpread, Verification
from planner.report.numbers import duration, rate

__all__ = ["verification_table"]


def verification_table(verification: Verification) -> Table:
    """One row for each workload and load; percentiles as p50 / p95 / p99."""
    table = Table(
        title="\nreplayed in the simulator, TTFT and TPOT at p50 / p95 / p99",
        title_justify="left", title_style="bold", pad_edge=False, box=None,
    )  # fmt: skip
    for column in ("workload", "load"):
        table.add_column(column)
    for column in ("rate", "TTFT", "TPOT", "keep both", "requests"):
        table.add_column(column, justify="right")
    table.add_column("targets")
    for replayed in verification.replays:
        table.add_row(
            replayed.workload, replayed.load, rate(replayed.rate_per_s), _spread(replayed.ttft),
            _spread(replayed.tpot), f"{100 * replayed.attainment:.1f} %", f"{replayed.requests:,}",
            "met" if replayed.met else "MISSED",
        )  # fmt: skip
    return table


def _spread(spread: LatencySpread | None) -> str:
    if spread is None:
        return "–"
    return " / ".join(duration(value) for value in (spread.p50_ms, spread.p95_ms, spread.p99_ms))
