"""``python -m benchmarks nanoflow``: NanoFlow's optimal throughputs, from parameters and arithmetic alone.

A GPU that does nothing but the products of a dense batch makes ``Compute / (2 P)`` tokens a second (P: active
parameters); the paper takes 260 TFLOPS for an A100's dense bf16 products. Published are tokens per second and
GPU of each model, and what share of the optimum NanoFlow and vLLM reached.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from models.architecture import architecture
from models.hardware import gpu
from models.serving.bounds import EFFECTIVE_A100_FLOPS, classify, optimal_tokens_per_s

__all__ = ["main"]

PUBLISHED = {
    "LLaMA-2-70B": (70.0e9, 1857.0),
    "Llama-3-70B": (70.6e9, 1850.0),
    "Qwen2-72B": (72.2e9, 1800.0),
    "Deepseek-67B": (67.0e9, 1941.0),
    "Llama-3-8B": (8.0e9, 16250.0),
    "Mixtral-8x7B": (12.6e9, 10294.0),
}
"""Active parameters as the paper counts them, and its optimal tokens per second and GPU."""
REACHED = {
    "Llama-3-70B": (593.0, 1306.0),
    "Qwen2-72B": (554.0, 1213.0),
    "Mixtral-8x7B": (997.0, 5188.0),
    "Llama-3-8B": (5187.0, 12756.0),
}
"""vLLM's and NanoFlow's tokens per second and GPU."""


def main(arguments: Sequence[str]) -> int:
    """Print and write the comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks nanoflow", description=__doc__)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    rows = {}
    for name, (parameters, published) in PUBLISHED.items():
        found = optimal_tokens_per_s(parameters, EFFECTIVE_A100_FLOPS)
        rows[name] = {
            "optimal_tokens_per_s_per_gpu": round(found, 1),
            "published": published,
            "difference": f"{found / published - 1:+.2%}",
            "reached_share_of_optimum": [round(r / found, 3) for r in REACHED.get(name, ())],
        }
    bound = classify(
        architecture("llama-2-70b"),
        gpu("a100-sxm-80gb"),
        gpus=8,
        batch_tokens=2048,
        flops=EFFECTIVE_A100_FLOPS,
    )
    record = {
        "benchmark": "nanoflow",
        "source": "Zhu et al., NanoFlow, OSDI 2025, sections 2.3 and 6",
        "effective_flops": EFFECTIVE_A100_FLOPS,
        "models": rows,
        "llama_2_70b_on_8_a100": {
            "compute_ms": round(bound.compute_ms, 2),
            "memory_ms": round(bound.memory_ms, 2),
            "network_ms": round(bound.network_ms, 2),
            "bound": bound.bound,
        },
    }
    text = json.dumps(record, indent=2)
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n", encoding="utf-8")
    return 0
