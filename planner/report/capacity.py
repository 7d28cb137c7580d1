"""A capacity answer for people and for programs."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from planner.capacity import Answer, GpuAnswer, Way
from planner.plan.cut import cut_label
from planner.report.numbers import duration, money, rate

__all__ = ["answer_json", "arrangement", "print_answer", "way_dict"]


def print_answer(answer: Answer, console: Console, top: int) -> None:
    """Print the best ways of each GPU type, or why there is none and what comes closest."""
    priced = bool(answer.question.price_per_gpu_hour)
    table = Table(box=None, pad_edge=False)
    table.add_column("GPU")
    table.add_column("instances")
    for column in ("GPUs", "serves", "each GPU", "TTFT", "TPOT", *(("price",) if priced else ())):
        table.add_column(column, justify="right")
    for found in answer.by_gpu:
        for way in found.ways[:top]:
            table.add_row(
                found.gpu, arrangement(way), str(way.gpus), rate(way.capacity_per_s),
                rate(way.capacity_per_s_per_gpu), duration(way.ttft_ms), duration(way.tpot_ms),
                *((money(way.price_per_hour),) if priced else ()),
            )  # fmt: skip
    if answer.feasible:
        console.print(_headline(answer), highlight=False)
        console.print()
        console.print(table)
        console.print()
    for found in answer.by_gpu:
        if found.ways:
            console.print(
                Text(f"{found.gpu}: operator times {found.basis}, {len(found.ways)} ways compared"),
                soft_wrap=True,
            )
        else:
            console.print(Text(f"{found.gpu}: {found.reason}. Closest: {found.closest}."), soft_wrap=True)


def _headline(answer: Answer) -> Text:
    best = answer.by_gpu[0]
    way = best.ways[0]
    what = f"{way.gpus} × {best.gpu}" + (f" at {money(way.price_per_hour)}" if way.price_per_hour > 0 else "")
    if best.demand_per_s is None:
        return Text(f"{what} serve {rate(way.capacity_per_s)}: {arrangement(way)}", style="bold")
    return Text(f"{rate(best.demand_per_s)} need {what}: {arrangement(way)}", style="bold")


def arrangement(way: Way) -> str:
    """Return the instances of a way in words: ``3 × TP2``."""
    parts = []
    for count, c in way.parts:
        role = "" if c.role == "mixed" else f" {c.role}"
        parts.append(f"{count} × {cut_label(c)}{role}")
    return " + ".join(parts)


def answer_json(answer: Answer, top: int) -> str:
    """Return the answer as JSON text: ``{"answers": [{"gpu", "ways", "reason", "closest"}, …]}``."""
    return json.dumps({"answers": [_gpu(found, top) for found in answer.by_gpu]}, indent=2) + "\n"


def _gpu(found: GpuAnswer, top: int) -> dict[str, Any]:
    return {
        "gpu": found.gpu,
        "demand_per_s": found.demand_per_s,
        "basis": found.basis or None,
        "reason": found.reason or None,
        "closest": found.closest or None,
        "offers": [{"words": offer.words, "flags": offer.flags} for offer in found.offers],
        "ways": [way_dict(way) for way in found.ways[:top]],
    }


def way_dict(way: Way) -> dict[str, Any]:
    """Return a way as plain values for JSON."""
    return {
        "gpus": way.gpus,
        "capacity_per_s": way.capacity_per_s,
        "ttft_ms": way.ttft_ms,
        "tpot_ms": way.tpot_ms,
        "price_per_hour": way.price_per_hour,
        "instances": [
            {
                "count": count,
                "role": c.role,
                "tensor_parallel_size": c.tensor_parallel_size,
                "pipeline_parallel_size": c.pipeline_parallel_size,
                "data_parallel_size": c.data_parallel_size,
                "expert_parallel_size": c.expert_parallel_size,
                "weights": c.weights,
                "kv_cache": c.kv_cache,
                "max_num_seqs": c.max_num_seqs,
                "max_num_batched_tokens": c.max_num_batched_tokens,
                "capacity_per_s": c.capacity_per_s,
                "limit": c.limit,
            }
            for count, c in way.parts
        ],
    }
