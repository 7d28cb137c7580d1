"""More of each prompt in the cache never costs more, and burstier arrivals never cost less."""

from __future__ import annotations

import numpy as np
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from models.architecture import architecture
from models.hardware import gpu
from models.serving import Configuration, InstanceModel, Parallelism, Targets, capacities, engine
from models.serving.configuration import Role
from models.workload import Burstiness, LengthDistribution
from planner.options import PlanOptions
from planner.pipeline import create_plan

HALVED = 1e-3
"""Relative width at which the search for a rate stops."""

ORDERED = st.tuples(st.floats(0.0, 0.95), st.floats(0.0, 0.95)).map(sorted)
SHAPES = st.tuples(st.floats(0.05, 4.0), st.floats(0.05, 4.0)).map(sorted)
"""Burstier first."""

ROLES: tuple[Role, ...] = ("mixed", "prefill", "decode")

DOCUMENT = {
    "fleet": "t",
    "pools": [{"name": "a", "gpu": "h100", "nodes": 8, "gpus_per_node": 8, "price_per_gpu_hour": 2.0}],
    "models": [{"name": "m", "architecture": "llama-3.1-8b"}],
    "policies": {"parallelism": {"tensor": [1, 2], "pipeline": [1]}},
}


def instances() -> list[InstanceModel]:
    """One of every role."""
    return [
        InstanceModel.of(
            Configuration(
                architecture=architecture("llama-3.1-8b"), gpu=gpu("h100"), role=role, engine=engine("vllm"),
                parallelism=Parallelism(), max_num_batched_tokens=2048,
            )
        )
        for role in ROLES
    ]  # fmt: skip


def rates(
    lengths: tuple[int, int], targets: tuple[float, float], reuse: float, bursts: Burstiness
) -> np.ndarray:
    found = capacities(
        instances(),
        LengthDistribution.fixed(*lengths),
        Targets(ttft_ms=targets[0], tpot_ms=targets[1]),
        reuse=reuse,
        burstiness=bursts,
    )
    return np.array([capacity.rate_per_s if capacity.feasible else 0.0 for capacity in found])


@settings(max_examples=8, deadline=None)
@given(
    lengths=st.tuples(st.integers(50, 6000), st.integers(2, 600)),
    targets=st.tuples(st.floats(50, 3000), st.floats(8, 80)),
    reuse=ORDERED,
    shape=SHAPES,
    total=st.floats(0.1, 500.0),
)
def test_what_an_instance_carries_follows_reuse_and_bursts(lengths, targets, reuse, shape, total) -> None:  # type: ignore[no-untyped-def]
    burstier, evener = (Burstiness(shape=s, rate_per_s=total) for s in shape)
    cold, warm = reuse
    least = rates(lengths, targets, cold, burstier)
    assert (rates(lengths, targets, warm, burstier) >= least * (1 - HALVED)).all()
    assert (rates(lengths, targets, cold, evener) >= least * (1 - HALVED)).all()


@settings(max_examples=3, deadline=None)
@given(
    rate=st.floats(5.0, 200.0), reuse=ORDERED, shape=SHAPES, roles=st.sampled_from(["mixed", "disaggregated"])
)
def test_what_a_plan_costs_follows_reuse_and_bursts(rate, reuse, shape, roles) -> None:  # type: ignore[no-untyped-def]
    def cost(share: float, burstiness: float) -> float:
        workload = {
            "model": "m", "rate": f"{rate}/s", "reuse": share, "burstiness": burstiness,
            "lengths": {"levels": [0, 1], "input_tokens": [200, 3000], "output_tokens": [20, 300]},
            "slo": {"ttft_p95": "500ms", "tpot_p95": "20ms"},
        }  # fmt: skip
        policies = DOCUMENT["policies"] | {"roles": [roles]}
        plan = create_plan(
            yaml.safe_dump(DOCUMENT | {"workloads": [workload], "policies": policies}),
            options=PlanOptions(verify=False),
        )
        assert plan.state == "optimal"
        return plan.cost_per_hour

    (cold, warm), (burstier, evener) = reuse, shape
    most = cost(cold, burstier)
    assert cost(warm, burstier) <= most + 1e-6
    assert cost(cold, evener) <= most + 1e-6
