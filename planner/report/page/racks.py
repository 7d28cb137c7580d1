"""The fleet as a drawing: racks of nodes of GPUs, each tensor-parallel group a bar in a colour."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from planner.plan import Plan
from planner.plan.outcome import PoolUse
from planner.report.page.colours import fill, hues

__all__ = ["Rack", "RackRow", "racks"]

CELL, GAP, ROW = 15, 1, 20
"""Pixels: a GPU, the space around it, the line of a node."""
LETTER = 7
"""Pixels of a letter of a node's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RackRow:
    """The racks of one pool that run something, and how many nodes of it run nothing."""

    pool: PoolUse
    racks: tuple[Rack, ...]
    idle_nodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rack:
    """One rack as SVG, with a sentence for those who cannot see it."""

    name: str
    svg: Markup
    summary: str


@dataclass(frozen=True, slots=True)
class _Bar:
    """GPUs `first` to `last` of a node that work as one group."""

    first: int
    last: int
    instance: str
    workload: str
    role: str
    new: bool


def racks(plan: Plan, *, like: Plan | None = None) -> tuple[RackRow, ...]:
    """Draw every pool of a plan; nodes in which nothing runs are only counted.

    Parameters
    ----------
    like
        Another plan whose colours are used for its workloads.
    """
    bars = _bars(plan)
    colours = {**hues(plan), **({} if like is None else hues(like))}
    found = []
    for pool in plan.pools:
        by_rack: dict[str, list[str]] = defaultdict(list)
        for node in sorted(name for name in bars if name.split("/")[0] == pool.name):
            by_rack[node.rsplit("/", 1)[0]].append(node)
        drawn = tuple(
            _rack(rack, {node: bars[node] for node in nodes}, pool.gpus_per_node, colours)
            for rack, nodes in by_rack.items()
        )
        busy = sum(len(nodes) for nodes in by_rack.values())
        found.append(RackRow(pool=pool, racks=drawn, idle_nodes=pool.nodes - busy))
    return tuple(found)


def _bars(plan: Plan) -> dict[str, list[_Bar]]:
    """Runs of adjacent GPUs of each stage, by node."""
    moved = {move.instance for move in plan.moves if move.action != "stop"}
    bars: dict[str, list[_Bar]] = defaultdict(list)
    for instance in plan.instances:
        for stage in instance.stages:
            begin = previous = stage.gpus[0]
            for gpu in (*stage.gpus[1:], None):
                if gpu != previous + 1:
                    bars[stage.node].append(
                        _Bar(begin, previous, instance.name, instance.workload, instance.role,
                             instance.name in moved)
                    )  # fmt: skip
                    begin = gpu if gpu is not None else begin
                previous = gpu if gpu is not None else previous
    return bars


def _rack(name: str, nodes: dict[str, list[_Bar]], gpus_per_node: int, colours: dict[str, float]) -> Rack:
    label = 8 + LETTER * max(len(node.rsplit("/", 1)[1]) for node in nodes)
    width, height = label + gpus_per_node * (CELL + GAP) + 4, ROW * len(nodes) + 4
    used = 0
    out = []
    for line, (node, bars) in enumerate(nodes.items()):
        y = 2 + line * ROW
        out.append(f'<text x="0" y="{y + 12}">{escape(node.rsplit("/", 1)[1])}</text>')
        full = gpus_per_node * (CELL + GAP) - GAP
        out.append(f'<rect class="free" x="{label}" y="{y}" width="{full}" height="{CELL}"/>')
        for bar in bars:
            used += bar.last - bar.first + 1
            x, wide = label + bar.first * (CELL + GAP), (bar.last - bar.first + 1) * (CELL + GAP) - GAP
            gpus = str(bar.first) if bar.first == bar.last else f"{bar.first} to {bar.last}"
            kind = "new" if bar.new else "group"
            out.append(
                f'<rect class="{kind}" x="{x}" y="{y}" width="{wide}" height="{CELL}" '
                f'fill="{fill(colours[bar.workload], bar.role)}">'
                f"<title>{escape(bar.instance)}: GPUs {gpus}</title></rect>"
            )
    summary = f"{name}: {used} of {len(nodes) * gpus_per_node} GPUs of {len(nodes)} nodes in use"
    # Built from escaped parts only.
    svg = Markup(  # noqa: S704
        f'<svg role="img" aria-label="{escape(summary)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{"".join(out)}</svg>'
    )
    return Rack(name=name, svg=svg, summary=summary)
