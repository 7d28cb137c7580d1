"""The periods of a plan as tables: what runs when, how prefill and decode divide the GPUs, what changes."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from planner.plan.schedule import Change, PeriodPlan, Schedule
from planner.report.numbers import money, share

__all__ = ["schedule_tables"]

MOST_CHANGES = 40
"""Longer lists are cut: the plan document has all."""
MOST_APART = 6
"""Workloads served apart that get a column each; more do not fit a line."""
_WORDS = {"role_switch": "switches its role", "reshard": "is cut anew", "start": "starts", "stop": "stops"}


def schedule_tables(schedule: Schedule) -> Iterator[Table]:
    """Yield a table of the periods and, where anything changes between them, one of the changes."""
    yield _periods(schedule)
    changes = [(period, change) for period in schedule.periods for change in period.changes]
    if changes:
        yield _changes(changes)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", pad_edge=False, box=None)
    for column in columns:
        table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left")
    return table


def _periods(schedule: Schedule) -> Table:
    apart = list(dict.fromkeys(r.workload for period in schedule.periods for r in period.ratios))
    title = f"\nperiods: {schedule.cost:,.2f} together, gap {share(schedule.gap)}"
    together = len(apart) > MOST_APART
    names = [f"{len(apart)} workloads"] if together else apart
    table = _table(
        title, ">period", ">GPUs", ">price", ">unserved", *(f">{name} prefill:decode GPUs" for name in names)
    )
    for period in schedule.periods:
        by_name = {ratio.workload: ratio for ratio in period.ratios}
        ratios = [
            f"{by_name[name].prefill_gpus}:{by_name[name].decode_gpus}" if name in by_name else "–"
            for name in apart
        ]
        if together:
            whole = [sum(r.prefill_gpus for r in period.ratios), sum(r.decode_gpus for r in period.ratios)]
            ratios = [f"{whole[0]}:{whole[1]}"]
        number = f"{period.period} (placed)" if period.placed else str(period.period)
        unserved = share(period.unserved_share) if period.unserved_share > 0 else "–"
        table.add_row(number, str(period.gpus_used), money(period.cost_per_hour), unserved, *ratios)
    return table


def _changes(changes: list[tuple[PeriodPlan, Change]]) -> Table:
    table = _table(
        "\nchanges between periods", ">period", "pool", "what", "from", "to", ">cost", ">saves", ">pays after"
    )
    for period, change in changes[:MOST_CHANGES]:
        saves = "–" if change.saves_per_hour is None else money(change.saves_per_hour)
        pays = "–" if change.payback_s is None else _span(change.payback_s)
        table.add_row(
            str(period.period), change.pool, f"{change.model} {_WORDS[change.kind]}",
            ", ".join(change.before) or "–", ", ".join(change.after) or "–", f"{change.cost:,.2f}", saves,
            pays,
        )  # fmt: skip
    if len(changes) > MOST_CHANGES:
        table.add_row("…", f"and {len(changes) - MOST_CHANGES} more")
    return table


def _span(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
