"""What one more node buys, on a fleet whose arithmetic is known."""

from __future__ import annotations

import pytest

from planner.capacity.one_more import one_more_node
from planner.clock import Clock
from planner.fleet import read_fleet
from planner.options import PlanOptions

FLEET = """\
fleet: t
pools:
  - {name: a, gpu: h100-sxm-80gb, nodes: 2, gpus_per_node: 2, price_per_gpu_hour: 2}
  - {name: b, gpu: h100-sxm-80gb, nodes: 1, gpus_per_node: 4, price_per_gpu_hour: 3}
models: [{name: m, architecture: llama-3.1-8b}]
workloads:
  - model: m
    rate: 5/s
    lengths: {levels: [0, 1], input_tokens: [1000, 1000], bands: [{up_to: 1, output_tokens: [100, 100]}]}
    slo: {ttft_p95: 1s, tpot_p95: 30ms}
policies: {parallelism: {tensor: [1], pipeline: [1]}, roles: [mixed]}
"""


def test_gains_are_in_proportion_to_the_gpus_of_a_node():
    """Eight GPUs carry what they carry; two more carry a quarter of it more, four more a half."""
    found = one_more_node(read_fleet(FLEET), Clock(options=PlanOptions(time_limit_s=60.0)))
    gains = {one.pool: one.factor / found.today for one in found.pools}
    assert gains == {"a": pytest.approx(1.25, rel=0.02), "b": pytest.approx(1.5, rel=0.02)}
    assert [one.price_per_hour for one in found.pools] == [4, 12]
