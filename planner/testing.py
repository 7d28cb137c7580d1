"""Small fleets and candidates for tests of this package and of what builds on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from planner.candidates.candidate import Candidate
from planner.fleet import Fleet, read_fleet
from planner.plan import Expectation, Instance, Stage

__all__ = ["SMALL_FLEET", "chat_document", "make_candidate", "make_fleet", "make_instance"]

SMALL_FLEET = """\
fleet: test
pools:
  - {name: a, gpu: h100-sxm-80gb, nodes: 3, gpus_per_node: 6, racks: 3, zone: z0, price_per_gpu_hour: 2}
  - {name: b, gpu: h200-sxm-141gb, nodes: 2, gpus_per_node: 8, zone: z1, price_per_gpu_hour: 3}
models: [{name: chat, architecture: llama-3.1-8b}, {name: code, architecture: llama-3.1-8b}]
workloads:
  - model: chat
    rate: 10/s
    lengths: {levels: [0, 1], input_tokens: [100, 300], output_tokens: [10, 50]}
    slo: {ttft_p95: 1s, tpot_p95: 40ms}
  - model: code
    rate: 4/s
    lengths: {levels: [0, 1], input_tokens: [100, 300], output_tokens: [10, 50]}
    slo: {ttft_p95: 1s, tpot_p95: 40ms}
    priority: 2
policies: {headroom: 10%}
goals: [unserved_demand, cost, gpus, movement]
"""
"""Two pools of unlike nodes, two workloads of the same lengths."""


def chat_document(*, gpus_per_node: int, rate_per_s: float = 1.0) -> str:
    """One model on two nodes, one GPU an instance."""
    return f"""\
fleet: demo
pools:
  - {{name: h100, gpu: h100, nodes: 2, gpus_per_node: {gpus_per_node}, price_per_gpu_hour: 2.5}}
models:
  - {{name: chat, architecture: llama-3.1-8b}}
workloads:
  - model: chat
    rate: {rate_per_s:g}/s
    lengths:
      kind: LengthDistribution
      levels: [0, 1]
      input_tokens: [800, 1200]
      bands: [{{up_to: 1, output_tokens: [100, 200]}}]
    slo: {{ttft_p95: 1s, tpot_p95: 30ms}}
policies:
  roles: [mixed]
  parallelism: {{tensor: [1], pipeline: [1]}}
"""


def make_fleet(loss_of: Literal["node", "rack", "zone"] | None = None) -> Fleet:
    """Return `SMALL_FLEET`, with a loss policy."""
    fleet = read_fleet(SMALL_FLEET)
    return replace(fleet, policies=replace(fleet.policies, loss_of=loss_of))


def make_candidate(fleet: Fleet, **changes: Any) -> Candidate:
    """Return a candidate for the first workload on the first pool, TP1, one request per second."""
    values: dict[str, Any] = {
        "workload": "chat", "model": "chat", "repository": "x", "role": "mixed", "engine": "vllm",
        "pool": "a", "tensor_parallel_size": 1, "pipeline_parallel_size": 1, "weights": "bf16",
        "checkpoint": "bf16", "kv_cache": "bf16", "max_num_seqs": 256, "max_num_batched_tokens": 8192,
        "max_model_len": 512, "gpu_memory_utilization": 0.9, "capacity_per_s": 1.0, "ttft_ms": 1.0,
        "tpot_ms": 1.0, "limit": "tpot", "reason": "", "groups": 1, "gpus_per_group": 1,
        "basis": "datasheet", **changes,
    }  # fmt: skip
    pool = fleet.pool(values["pool"])
    gpus = values["groups"] * values["gpus_per_group"]
    return Candidate(
        zone=pool.zone, gpu=pool.gpu.name, price_per_hour=gpus * pool.price_per_gpu_hour, **values
    )


def make_instance(name: str, stages: tuple[Stage, ...], **changes: Any) -> Instance:
    """Return a mixed instance of the first workload on the first pool at those places."""
    values: dict[str, Any] = {
        "workload": "chat", "model": "chat", "repository": "x", "role": "mixed", "engine": "vllm",
        "pool": "a", "gpu": "h100-sxm-80gb", "tensor_parallel_size": len(stages[0].gpus),
        "pipeline_parallel_size": len(stages), "weights": "bf16", "checkpoint": "bf16", "kv_cache": "bf16",
        "max_num_seqs": 256, "max_num_batched_tokens": 8192, "max_model_len": 512,
        "gpu_memory_utilization": 0.9, "price_per_hour": 2.0, "basis": "datasheet", **changes,
    }  # fmt: skip
    expected = Expectation(rate_per_s=1.0, capacity_per_s=20.0, ttft_ms=10.0, tpot_ms=10.0, concurrency=1.0)
    return Instance(name=name, stages=stages, expected=expected, **values)
