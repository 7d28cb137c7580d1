"""A plan in a notebook: a compact table, and a data frame of its instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from models.errors import Unavailable
from models.markup import html_table

if TYPE_CHECKING:
    import pandas

    from planner.plan.model import Plan

__all__ = ["plan_frame", "plan_html"]


def plan_html(plan: Plan) -> str:
    """What runs, grouped by equal instances, under one line with state, GPUs and price."""
    groups: dict[tuple[object, ...], int] = {}
    for instance in plan.instances:
        key = (
            instance.workload,
            instance.role,
            instance.gpu,
            instance.tensor_parallel_size,
            instance.pipeline_parallel_size,
            instance.expected.ttft_ms,
            instance.expected.tpot_ms,
        )
        groups[key] = groups.get(key, 0) + 1
    gpus = sum(pool.gpus_used for pool in plan.pools)
    of = sum(pool.nodes * pool.gpus_per_node for pool in plan.pools)
    title = f"fleet {plan.fleet}: {plan.state}, {gpus} of {of} GPUs, {plan.cost_per_hour:.2f}/h"
    headers = ("instances", "workload", "role", "GPU", "TP", "PP", "TTFT, ms", "TPOT, ms")
    note = plan.diagnosis.message if plan.diagnosis is not None else ""
    return html_table(title, headers, [(count, *key) for key, count in groups.items()], note=note)


def plan_frame(plan: Plan) -> pandas.DataFrame:
    """One row an instance: the scalars of `Instance` and of what to expect of it, and the nodes it runs on.

    Raises
    ------
    Unavailable
        pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise Unavailable("data frames need pandas: pip install 'fulcrum-planner[notebook]'") from None
    return pandas.DataFrame([_row(instance) for instance in plan.instances])


def _row(instance: Any) -> Mapping[str, object]:
    from dataclasses import fields

    row = {
        f.name: getattr(instance, f.name) for f in fields(instance) if f.name not in {"stages", "expected"}
    }
    expected = {f.name: getattr(instance.expected, f.name) for f in fields(instance.expected)}
    nodes = ", ".join(dict.fromkeys(stage.node for stage in instance.stages))
    return {**row, "gpus": instance.gpu_count, "nodes": nodes, **expected}
