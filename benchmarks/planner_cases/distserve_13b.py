"""DistServe: OPT-13B on one node of four A100-80G, TTFT 0.2 s, TPOT 0.1 s, P90."""

from __future__ import annotations

import numpy as np

from benchmarks.planner_cases.comparison import Comparison
from benchmarks.planner_cases.distserve_inputs import LENGTHS_NOTE, servers, sharegpt_lengths
from planner.split import (
    GoodputSearch,
    LatencyTargets,
    RequestSample,
    choose_split,
    colocated,
    crossover_utilization,
    low_affinity,
)

PUBLISHED = 1.5625
"""Printed as 1.56; a bisection of 0..5 that stops below 0.25 can only give multiples of 0.15625."""


def run() -> Comparison:
    lengths = sharegpt_lengths()
    found = servers("distserve", "facebook/opt-13b", layers=40)
    best, long_run, grid, spread = {}, {}, {}, {}
    for together in ("both", "each"):
        targets = LatencyTargets(
            ttft_ms=200, tpot_ms=100, attainment=0.9, together="both" if together == "both" else "each"
        )

        def search(
            count: int, seed: int, resolution: float, targets: LatencyTargets = targets
        ) -> GoodputSearch:
            sample = RequestSample.poisson(lengths[:, 0], lengths[:, 1], count=count, seed=seed)
            return GoodputSearch(sample=sample, targets=targets, resolution_per_gpu=resolution)

        pairs = low_affinity(search(3000, 0, 0.02), found, nodes=1, gpus_per_node=4)
        best[together] = pairs[0]
        chosen = found[pairs[0].prefill], found[pairs[0].decode]
        runs = [search(20_000, seed, 0.005).per_gpu(*chosen) for seed in range(3)]
        long_run[together] = float(np.median(runs))
        grid[together] = search(20_000, 0, 0.25).per_gpu(*chosen)
        short = [search(300, seed, 0.02).per_gpu(*chosen) for seed in range(40)]
        spread[together] = [round(float(q), 2) for q in np.percentile(short, (5, 50, 95))]
    vllm = servers("vllm", "facebook/opt-13b", layers=40)
    few = {d: s for d, s in vllm.items() if s.gpus <= 4}
    choice = choose_split(colocated(search(3000, 0, 0.02), few), (best["each"],))
    degrees = [*best["both"].prefill, *best["both"].decode]
    return Comparison(
        case="distserve-13b",
        source="Zhong et al., DistServe, OSDI 2024; README of its simulator",
        published={"tp_p, pp_p, tp_d, pp_d": [2, 1, 1, 1], "goodput_per_gpu": 1.56, "grid_step": 0.15625},
        measured={
            "tp_p, pp_p, tp_d, pp_d": degrees,
            "goodput_per_gpu_both_targets": round(long_run["both"], 3),
            "goodput_per_gpu_each_target": round(long_run["each"], 3),
            "on_the_published_grid": {k: round(v, 4) for k, v in grid.items()},
            "goodput_of_300_requests_p5_p50_p95": spread,
            "together_or_apart": f"{choice.choice}: {choice.reason}",
            "m_d_1_crossover_utilization": {
                str(k): round(crossover_utilization(k), 3) for k in (1.2, 1.42, 1.5, 1.7)
            },
        },
        agrees={
            "prefill TP2, decode TP1": degrees == [2, 1, 1, 1],
            "the bisection that was published brackets ours, both targets": (
                PUBLISHED <= long_run["both"] < PUBLISHED + 0.15625
            ),
            "1.56 within 5 %, both targets, exact": abs(long_run["both"] / 1.56 - 1) <= 0.05,
            "1.56 within 5 %, each target, exact": abs(long_run["each"] / 1.56 - 1) <= 0.05,
            "1.56 on the published grid, both targets": abs(grid["both"] / PUBLISHED - 1) <= 0.05,
        },
        assumed=(
            LENGTHS_NOTE,
            "Poisson arrivals; 20,000 requests drawn from these lengths for the exact figures",
        ),
        notes=(
            "why 1.69 and not 1.56: the published search returns the lower end of an interval of 0.156, so "
            "1.56 says that the truth lies in 1.5625 to 1.719; ours does, and on the same grid it is 1.5625",
            "the published figure is a bisection of 300 requests with steps of 0.156 (10 %); 300 requests "
            "alone spread as wide as p5 to p95 says, so that no agreement within 5 % can be expected",
            "'both': 90 % of requests meet both targets, the paper's definition; 'each': 90 % meet the one "
            "and 90 % the other, what the released search checks",
        ),
    )
