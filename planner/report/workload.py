"""A workload for people and for programs: figures and small histograms."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.workload.statistics import LengthStatistics, TraceStatistics
from planner.report.numbers import rate
from planner.report.transition import clock_time

__all__ = ["print_workload", "workload_json"]

BARS = " ▁▂▃▄▅▆▇█"
BAR_WIDTH = 32
"""Letters of the longest bar."""


def print_workload(found: TraceStatistics, console: Console) -> None:
    """Print what a trace is like: lengths, arrivals, the shape of its day, reuse of prefixes."""
    head = f"{found.requests:,} requests" if found.requests else "a table of lengths"
    if found.arrivals is not None:
        head += f" in {clock_time(found.arrivals.duration_s)}, {rate(found.arrivals.rate_per_s)}"
    console.print(Text(head, style="bold"), highlight=False)
    table = _table(
        "tokens", ">mean", *(f">p{100 * level:g}" for level in found.input_tokens.quantiles), ">most"
    )
    for name, lengths in (("prompt", found.input_tokens), ("output", found.output_tokens)):
        table.add_row(
            name, f"{lengths.mean:,.0f}", *(f"{value:,.0f}" for value in lengths.quantiles.values()),
            f"{lengths.most:,.0f}",
        )  # fmt: skip
    console.print()
    console.print(table)
    console.print(Text(f"rank correlation of prompt and output: {found.length_correlation:+.2f}"))
    for name, lengths in (("prompt tokens", found.input_tokens), ("output tokens", found.output_tokens)):
        console.print()
        _histogram(name, lengths, console)
    _print_arrivals(found, console)
    _print_reuse(found, console)


def _print_arrivals(found: TraceStatistics, console: Console) -> None:
    arrivals = found.arrivals
    if arrivals is None:
        return
    console.print()
    console.print(
        Text(f"gaps between arrivals: coefficient of variation {arrivals.gap_variation:.2f} (1 is Poisson)")
    )
    if arrivals.windows:
        table = _table("windows of", ">number", ">dispersion", ">peak / mean")
        for one in arrivals.windows:
            table.add_row(
                f"{one.window_s:g} s", f"{one.windows:,}", f"{one.dispersion:.2f}", f"{one.peak_to_mean:.2f}"
            )
        console.print(table)
    if arrivals.hours:
        console.print(Text(f"by hour: {_spark(np.array(arrivals.hours))}"))
        console.print(Text("shape: [" + ", ".join(f"{value:.2f}" for value in arrivals.hours) + "]"))


def _print_reuse(found: TraceStatistics, console: Console) -> None:
    reuse = found.reuse
    if reuse is None:
        return
    console.print()
    console.print(
        Text(
            f"prompt tokens that begin like an earlier prompt: {100 * reuse.ideal:.1f} % with an endless "
            f"cache (blocks of {reuse.block_tokens} tokens, {reuse.distinct_blocks:,} different ones)"
        ),
        soft_wrap=True,
    )
    for size, share in reuse.cached.items():
        console.print(Text(f"  {100 * share:.1f} % with a cache of {size:,} tokens"))


def _histogram(name: str, lengths: LengthStatistics, console: Console) -> None:
    console.print(Text(name, style="bold"))
    most = max(1, int(lengths.counts.max()))
    total = int(lengths.counts.sum())
    for low, high, count in zip(lengths.edges, lengths.edges[1:], lengths.counts, strict=False):
        bar = "█" * round(BAR_WIDTH * count / most) or ("▏" if count else "")
        console.print(Text(f"{low:>9,.0f} to {high:>9,.0f}  {bar:<{BAR_WIDTH}} {100 * count / total:5.1f} %"))


def _spark(values: npt.NDArray[np.float64]) -> str:
    top = float(values.max()) or 1.0
    return "".join(BARS[round(float(value) / top * (len(BARS) - 1))] for value in values)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name.lstrip(">"), justify="right" if name.startswith(">") else "left")
    return table


def workload_json(found: TraceStatistics) -> str:
    """Return the figures as JSON text."""
    arrivals, reuse = found.arrivals, found.reuse
    values: dict[str, Any] = {
        "source": found.source,
        "requests": found.requests or None,
        "input_tokens": _length_values(found.input_tokens),
        "output_tokens": _length_values(found.output_tokens),
        "length_correlation": found.length_correlation,
        "arrivals": None,
        "reuse": None,
    }
    if arrivals is not None:
        values["arrivals"] = {
            "duration_s": arrivals.duration_s,
            "rate_per_s": arrivals.rate_per_s,
            "gap_variation": arrivals.gap_variation,
            "windows": [
                {
                    "window_s": one.window_s, "windows": one.windows, "dispersion": one.dispersion,
                    "peak_to_mean": one.peak_to_mean,
                }
                for one in arrivals.windows
            ],
            "hours": list(arrivals.hours),
        }  # fmt: skip
    if reuse is not None:
        values["reuse"] = {
            "block_tokens": reuse.block_tokens,
            "distinct_blocks": reuse.distinct_blocks,
            "ideal": reuse.ideal,
            "cached": {str(size): share for size, share in reuse.cached.items()},
        }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def _length_values(lengths: LengthStatistics) -> dict[str, Any]:
    return {
        "mean": lengths.mean, "least": lengths.least, "most": lengths.most,
        "quantiles": {f"{level:g}": value for level, value in lengths.quantiles.items()},
        "histogram": {"edges": lengths.edges.tolist(), "counts": lengths.counts.tolist()},
    }  # fmt: skip
