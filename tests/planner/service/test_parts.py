"""Parts of a real plan: what the messages say is what the plan says."""

import json

import pytest
import yaml

from planner.pipeline import create_plan
from planner.service.parts import duration, transition_message, verification_message

DOCUMENT = {
    "fleet": "t",
    "pools": [{"name": "a", "gpu": "h100-sxm-80gb", "nodes": 2, "gpus_per_node": 4, "price_per_gpu_hour": 2}],
    "models": [{"name": "m", "architecture": "llama-3.1-8b"}],
    "workloads": [
        {
            "model": "m",
            "rate": "60/s",
            "lengths": {"levels": [0, 1], "input_tokens": [200, 900], "output_tokens": [50, 200]},
            "slo": {"ttft_p95": "500ms", "tpot_p95": "20ms"},
        }
    ],
    "policies": {"parallelism": {"tensor": [1], "pipeline": [1]}, "roles": ["mixed"]},
}


@pytest.fixture(scope="module")
def plan():
    first = create_plan(yaml.safe_dump(DOCUMENT))
    changed = DOCUMENT | {"models": [DOCUMENT["models"][0] | {"weights": "fp8"}]}
    return create_plan(yaml.safe_dump(changed), current=first)


def test_a_transition(plan):
    message = transition_message(json.loads(plan.to_json())["transition"])
    assert [(s.instance, list(s.after)) for s in message.steps] == [
        (s.instance, list(s.after)) for s in plan.transition.steps
    ]
    kinds = {message.steps[0].Kind.Name(s.kind) for s in message.steps}
    assert kinds >= {"KIND_LOAD", "KIND_SWITCH", "KIND_RETIRE"}
    assert message.duration.ToTimedelta().total_seconds() == pytest.approx(
        plan.transition.duration_s, rel=1e-5
    )
    (floor,) = message.floors
    assert (floor.workload, floor.floor_per_second) == ("m", pytest.approx(60.0))
    assert floor.lowest_per_second >= 60.0 - 1e-3
    assert message.rollback_points[0].after_step == -1
    assert not message.blocked_reason


def test_a_verification(plan):
    message = verification_message(json.loads(plan.to_json())["verification"])
    assert message.met
    (replay,) = message.replays
    mine = plan.verification.replays[0]
    assert (replay.workload, replay.load, replay.request_count) == ("m", "stated", mine.requests)
    assert replay.ttft.p95_ms == pytest.approx(mine.ttft.p95_ms, rel=1e-5)
    assert replay.tpot.met


def test_durations_keep_their_nanoseconds():
    assert (duration(1.5).seconds, duration(1.5).nanos) == (1, 500_000_000)
