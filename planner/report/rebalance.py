"""One turn of the rebalancing job as text."""

from __future__ import annotations

import json

from planner.rebalance.job import Turn
from planner.report.numbers import money, rate

__all__ = ["turn_json", "turn_text"]


def turn_text(fleet: str, turn: Turn) -> str:
    """The decision, why, what was expected of each workload and how sure that is, and the moves."""
    lines = [f"{fleet}: {turn.decision}"]
    lines += [f"  {reason}" for reason in turn.reasons]
    for o in turn.outlooks:
        if o.forecast is not None:
            f = o.forecast
            error = "no backtest yet" if f.error is None else f"backtest error {100 * f.error:.1f} %"
            times = "" if o.factor == 1 else f", {o.factor:.2f} times that after missed targets"
            lines.append(
                f"  {o.workload}: now {rate(o.rate_per_s or 0.0)}, peak ahead {rate(f.peak_per_s)}, "
                f"planned {rate(f.upper_per_s)} ({f.model}, {error}){times}"
            )
        lines += [f"  {o.workload}: discarded {reason}" for reason in o.discarded]
    if turn.plan:
        before = "" if turn.price_per_hour is None else f"{money(turn.price_per_hour)} → "
        lines.append(
            f"  {turn.plan}: {before}{money(turn.new_price_per_hour or 0.0)}, {len(turn.moves)} moves"
        )
        lines += [f"    {move.action} {move.instance}" for move in turn.moves[:20]]
        if len(turn.moves) > 20:
            lines.append(f"    … and {len(turn.moves) - 20} more")
    if turn.decision == "waiting":
        lines.append(f"  to promote it: fulcrum fleet promote {fleet} {turn.plan}")
    return "\n".join(lines) + "\n"


def turn_json(fleet: str, turn: Turn) -> str:
    """One line of JSON."""
    return json.dumps(
        {
            "fleet": fleet, "decision": turn.decision, "reasons": turn.reasons, "plan": turn.plan or None,
            "moves": [{"action": move.action, "instance": move.instance} for move in turn.moves],
            "price_per_hour": turn.price_per_hour, "new_price_per_hour": turn.new_price_per_hour,
            "workloads": [
                {
                    "workload": o.workload, "rate_per_s": o.rate_per_s, "ttft_ms": o.ttft_ms,
                    "tpot_ms": o.tpot_ms, "stale": o.stale or None, "discarded": o.discarded,
                    "peak_per_s": o.forecast and o.forecast.peak_per_s,
                    "planned_per_s": o.forecast and o.forecast.upper_per_s * o.factor,
                    "factor_after_missed_targets": o.factor,
                    "model": o.forecast and o.forecast.model,
                    "backtest_error": o.forecast and o.forecast.error,
                }
                for o in turn.outlooks
            ],
        },
        ensure_ascii=False,
    ) + "\n"  # fmt: skip
