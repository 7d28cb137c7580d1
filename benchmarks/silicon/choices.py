"""The decisions that held-out predictions lead to, by what is chosen among, generation and rule."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from benchmarks.silicon.decisions import Option, judge, judge_by_chance
from benchmarks.silicon.errors import intervals_without
from benchmarks.silicon.held import ENOUGH, Held, basis, key_of, ratios_of, sort_of, trainable

__all__ = ["decisions", "options"]

MARGINS = (1.0, 1.05, 1.10, 1.15)


def decisions(held: list[Held]) -> list[dict[str, Any]]:
    """Picks with several margins and by chance, among all configurations and among those of one engine."""
    some = [h for h in held if trainable(h.sample.case)]
    out = []
    for among in ("all", "one engine and precision"):
        choices = options(some, apart=among != "all")
        for generation in ("hopper", "blackwell", ""):
            mine = [o for o, own in choices if generation in ("", own)]
            rules = {f"margin {m:.2f}": judge(mine, margin=m) for m in MARGINS}
            for rule, choice in {**rules, "chance": judge_by_chance(mine)}.items():
                found = {k: round(v, 1) for k, v in asdict(choice).items()}
                out.append({"among": among, "generation": generation or "both", "rule": rule, **found})
    return out


def options(held: list[Held], *, apart: bool) -> list[tuple[Option, str]]:
    """Measured configurations with their generations; intervals are made without the model."""
    intervals: dict[tuple[str, str, str], dict[str, tuple[float, float]]] = {}

    def interval(h: Held) -> tuple[float, float]:
        engine, _, generation = key_of(h.sample.case).partition("/")
        model, kind = h.sample.case.model, sort_of(h)
        for sort in dict.fromkeys((kind, "")):  # too few others at their limit: the common interval
            key = (sort, generation, model)
            if key not in intervals:
                others = [o for o in basis(held, sort) if o.sample.case.model != model]
                ratios = ratios_of(others, sort, generation, "tpot")[0]
                enough = {k: v for k, v in ratios.items() if v[0].size >= ENOUGH}
                intervals[key] = intervals_without(enough, model)
            if engine in intervals[key]:
                return intervals[key][engine]
        raise ValueError(f"no other model tells how far predictions for {engine} on {generation} are off")

    def rate(h: Held, ttft: float, tpot: float) -> float:
        case = h.sample.case
        latency = ttft + (case.output_tokens - 1) * tpot
        return case.concurrency * case.output_tokens / case.configuration.gpus * 1e3 / latency

    out = []
    for h in held:
        case, config = h.sample.case, h.sample.case.configuration
        software = (config.engine.name, config.weights, case.harness)
        shape = (case.model, config.gpu.name, case.input_tokens, case.output_tokens)
        low, high = interval(h)
        option = Option(
            group=(*shape, *software) if apart else shape,
            configuration=(*software, config.parallelism, case.concurrency),
            tokens_per_s_per_gpu=(rate(h, h.sample.ttft_ms, h.sample.tpot_ms), rate(h, h.ttft_ms, h.tpot_ms)),
            tpot_ms=(h.sample.tpot_ms, h.tpot_ms),
            tpot_interval_ms=(h.tpot_ms * low, h.tpot_ms * high),
        )
        out.append((option, config.gpu.generation))
    return out
