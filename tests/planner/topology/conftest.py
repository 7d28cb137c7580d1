"""A fleet with links, served apart."""

from __future__ import annotations

import pytest

FLEET = """\
fleet: links
pools:
  - name: a
    gpu: h100-sxm-80gb
    nodes: 4
    gpus_per_node: 8
    racks: 2
    zone: z
    price_per_gpu_hour: 2
    network: {node: {bandwidth: NODE, latency: 5us}, rack: {bandwidth: RACK, latency: 10us}}
models: [{name: read, architecture: qwen3-32b, weights: fp8, kv_cache: fp8}]
workloads:
  - model: read
    rate: 12/s
    lengths: {levels: [0, 0.5, 1], input_tokens: [2000, 6000, 12000], output_tokens: [50, 150, 400]}
    slo: {ttft_p95: 3s, tpot_p95: 20ms}
policies: {roles: ROLES, parallelism: {tensor: [2], pipeline: [1]}}
"""


@pytest.fixture
def links():
    def text(node="50GB/s", rack="100GB/s", roles="[disaggregated]"):
        return FLEET.replace("NODE", node).replace("RACK", rack).replace("ROLES", roles)

    return text
