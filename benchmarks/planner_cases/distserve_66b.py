"""DistServe: OPT-66B on nodes of eight A100-80G, the targets of the ablation and of the paper's text."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.planner_cases.comparison import Comparison
from benchmarks.planner_cases.distserve_inputs import LENGTHS_NOTE, servers, sharegpt_lengths
from planner.split import (
    GoodputSearch,
    LatencyTargets,
    RequestSample,
    Server,
    choose_split,
    colocated,
    low_affinity,
    phase_goodput,
)

TARGETS = {"TTFT 0.4 s, TPOT 0.1 s": (400.0, 100.0), "TTFT 2.5 s, TPOT 0.15 s": (2500.0, 150.0)}

PUBLISHED_STEP = 0.25
"""Requests per second and GPU at which the released bisection stops."""


def run() -> Comparison:
    lengths = sharegpt_lengths()
    found = servers("distserve", "facebook/opt-66b", layers=64)
    vllm = servers("vllm", "facebook/opt-66b", layers=64)
    uncounted = {d: dataclasses.replace(s, kv_cache_tokens=math.inf) for d, s in found.items()}
    measured: dict[str, Any] = {}
    agrees: dict[str, bool] = {}
    for name, (ttft, tpot) in TARGETS.items():
        search = GoodputSearch(
            sample=RequestSample.poisson(lengths[:, 0], lengths[:, 1], count=1000, seed=0),
            targets=LatencyTargets(ttft_ms=ttft, tpot_ms=tpot),
            highest_per_gpu=2.0,
            resolution_per_gpu=0.005,
        )
        pairs = low_affinity(search, found, nodes=1, gpus_per_node=8, count_idle=True)
        power_of_two = [p for p in pairs if 3 not in (p.prefill[0], p.decode[0])]
        alone = colocated(search, {d: s for d, s in vllm.items() if s.gpus <= 8})
        published = next((p for p in pairs if (p.prefill, p.decode) == ((4, 1), (2, 2))), None)
        coarse = GoodputSearch(
            sample=RequestSample.poisson(lengths[:, 0], lengths[:, 1], count=300, seed=0),
            targets=LatencyTargets(ttft_ms=ttft, tpot_ms=tpot, together="each"),
            resolution_per_gpu=PUBLISHED_STEP,
        )
        fine = dataclasses.replace(coarse, resolution_per_gpu=0.01, highest_per_gpu=2.0)
        fine = dataclasses.replace(fine, targets=dataclasses.replace(fine.targets, together="both"))
        released = low_affinity(fine, uncounted, nodes=1, gpus_per_node=8, count_idle=True)
        measured[name] = {
            "best_of_a_node": [_shown(p) for p in pairs[:4]],
            "best_without_tp3": [_shown(p) for p in power_of_two[:3]],
            "colocated": {str(c.degrees): round(c.per_gpu, 3) for c in alone if c.per_gpu > 0},
            "decode alone": {
                str(degrees): round(phase_goodput(search, found[degrees], "decode"), 3)
                for degrees in ((2, 2), (4, 1))
            },
            "tokens of cache": {str(d): round(found[d].kv_cache_tokens) for d in ((2, 1), (2, 2), (4, 1))},
            "choice": choose_split(alone, pairs).reason,
            "as released: 300 requests, steps of 0.25": {
                f"prefill (4, 1), decode {decode}": round(coarse.per_gpu(found[4, 1], found[decode]), 4)
                for decode in ((2, 2), (4, 1))
            },
            "caches not counted, as released: 300 requests": [_shown(p) for p in released[:3]],
            "requests within the TTFT target when alone, vLLM": {
                str(degrees): round(float(np.mean(_alone_ms(vllm[degrees], lengths) <= ttft)), 3)
                for degrees in ((2, 1), (4, 1), (8, 1))
            },
        }
        agrees[f"{name}: prefill (4,1), decode (2,2) best or tied"] = (
            published is not None and published.per_node_gpu >= pairs[0].per_node_gpu - 0.01
        )
        agrees[f"{name}: prefill (4,1), decode (2,2) chosen where caches are not counted, as released"] = (
            released[0].prefill,
            released[0].decode,
        ) == ((4, 1), (2, 2))
        agrees[f"{name}: colocated TP4 best or tied"] = any(
            c.degrees == (4, 1) and c.per_gpu >= alone[0].per_gpu - 0.01 for c in alone
        )
    return Comparison(
        case="distserve-66b",
        source="Zhong et al., DistServe, OSDI 2024, section 6 and the ablation script of its repository",
        published={"prefill": [4, 1], "decode": [2, 2], "colocated": "TP4"},
        measured=measured,
        agrees=agrees,
        assumed=(
            LENGTHS_NOTE,
            "one node; goodput is per GPU of the whole node, so that a GPU left idle beside seven costs",
            "'best or tied' means within 0.01 requests/s and GPU, two steps of the bisection",
        ),
        notes=(
            "why (2,2): the released simulator bounds a decode step by a number of tokens of which each "
            "request counts one, so that its caches never fill. Then decode (2,2) and (4,1) keep up with "
            "prefill (4,1) alike, to the last digit, and a search in the order of the degrees reports (2,2)",
            "why not here: caches hold as many tokens with either, but the longer steps of (2,2) hold each "
            "request and its cache longer, so that its decode alone carries less. At 0.4 s prefill limits "
            "the pair and (2,2) is within two steps of the bisection; at 2.5 s it is not",
            "at 2.5 s, the paper's text, caches that are not counted lead elsewhere: to decode on two GPUs, "
            "which hold few tokens. The published placement is that of the ablation, 0.4 s and 0.1 s",
            "no colocated TP4 can be the best at a TTFT of 0.4 s: with the released coefficients of vLLM it "
            "keeps it for fewer of these requests, even alone, than the 90 % that are asked for",
        ),
    )


def _alone_ms(server: Server, lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """float64[request]: prefill of each prompt by itself."""
    return np.array([server.latency.prefill_ms([int(prompt)]) for prompt in lengths[:, 0]])


def _shown(pair: Any) -> dict[str, Any]:
    return {
        "prefill": list(pair.prefill),
        "decode": list(pair.decode),
        "gpus": pair.gpus,
        "per_gpu": round(pair.per_gpu, 3),
        "per_node_gpu": round(pair.per_node_gpu, 3),
    }
