"""From a plan to its page."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from models.errors import Unsupported
from planner.plan import Instance, Plan
from planner.report.gantt_svg import gantt_svg
from planner.report.numbers import duration, money, rate, share
from planner.report.page.colours import fill, hues
from planner.report.page.day import day_svg
from planner.report.page.front import FrontPoint, front_svg
from planner.report.page.racks import RackRow, racks
from planner.report.page.trajectory import Sample, trajectory_svgs
from planner.report.transition import clock_time

if TYPE_CHECKING:
    from jinja2 import Template

    from planner.capacity.one_more import OneMore

__all__ = ["plan_page"]

MOST_ROWS = 2000
"""Rows of a table beyond which the page says how many are left out: its reader wants the JSON then."""


def plan_page(
    plan: Plan,
    *,
    current: Plan | None = None,
    trajectory: Sequence[Sample] = (),
    front: Sequence[FrontPoint] = (),
    more: OneMore | None = None,
    home: str | None = None,
) -> str:
    """Return the page of a plan, UTF-8 HTML; the same input gives the same bytes.

    Parameters
    ----------
    current
        The plan that runs today, drawn beside.
    trajectory
        Reports of the solver, in order.
    front
        What latency headroom costs.
    more
        What one more node of each pool buys.
    home
        Address of a page with other plans.
    """
    used = sum(pool.gpus_used for pool in plan.pools)
    total = sum(pool.nodes * pool.gpus_per_node for pool in plan.pools)
    return _template().render(
        plan=plan,
        used=used,
        total=total,
        groups=_groups(plan.instances),
        shared=any(max(i.data_parallel_size, i.expert_parallel_size) > 1 for i in plan.instances),
        legend=_legend(plan),
        racks=racks(plan),
        before=_before(plan, current),
        trajectory=trajectory_svgs(trajectory),
        front={"points": front, "svg": front_svg(front)} if front else None,
        more=more,
        home=home,
        day=day_svg(plan.schedule) if plan.schedule is not None else None,
        gantt=_gantt(plan),
        launches=_launches(plan),
        weakest=_weakest(plan),
        most_rows=MOST_ROWS,
    )


@functools.cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("planner.report.page", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "duration": duration, "money": money, "rate": rate, "share": share, "clock": clock_time,
        "spread": _spread,
    }  # fmt: skip
    return environment.get_template("page.html.j2")


def _spread(spread: Any) -> str:
    """Percentiles of one latency."""
    if spread is None:
        return "–"
    return " / ".join(duration(value) for value in (spread.p50_ms, spread.p95_ms, spread.p99_ms))


def _groups(instances: Sequence[Instance]) -> list[tuple[int, Instance]]:
    """Equal instances with their count."""
    groups: dict[tuple[str, ...], list[Instance]] = defaultdict(list)
    for instance in instances:
        groups[instance.shape].append(instance)
    return [(len(group), group[0]) for group in groups.values()]


def _legend(plan: Plan) -> list[tuple[str, str]]:
    """Colour and words of every workload and role that runs."""
    colours = hues(plan)
    seen = dict.fromkeys((instance.workload, instance.role) for instance in plan.instances)
    return [(fill(colours[workload], role), f"{workload}, {role}") for workload, role in seen]


def _before(plan: Plan, current: Plan | None) -> dict[str, RackRow] | None:
    """The pools as they are used today, in the colours of the plan."""
    if current is None:
        return None
    return {row.pool.name: row for row in racks(current, like=plan)}


def _gantt(plan: Plan) -> Markup | None:
    transition = plan.transition
    if transition is None or not transition.steps:
        return None
    # gantt_svg escapes what it writes.
    return Markup(gantt_svg(transition, title=f"From the current plan: {clock_time(transition.duration_s)}"))  # noqa: S704


def _launches(plan: Plan) -> str:
    """Commands that start the instances; what the exporter cannot say instead of them."""
    from planner.export import export

    if not plan.instances:
        return ""
    try:
        return export(plan, "vllm")
    except Unsupported as error:
        return f"# {error}"


def _weakest(plan: Plan) -> str:
    """What the least certain of the predictions rests on."""
    order = ("measured", "imported", "extrapolated", "datasheet")
    bases = {instance.basis for instance in plan.instances}
    return next((basis for basis in reversed(order) if basis in bases), "")
