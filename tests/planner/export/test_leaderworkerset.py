"""`planner.export.leaderworkerset`: one pod a node, the leader's address, uneven nodes."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import yaml

from models.errors import Unsupported
from planner.export import export
from planner.plan import Plan, Stage

Make = Callable[..., Plan]


@pytest.mark.parametrize(
    ("engine", "address"),
    [("vllm", "$(LWS_LEADER_ADDRESS)"), ("sglang", "$(LWS_LEADER_ADDRESS):29500")],
)
def test_leader_and_workers_meet_at_the_leader(make_plan: Make, engine: str, address: str) -> None:
    (made, service) = yaml.safe_load_all(export(make_plan("two-nodes", engine), "leaderworkerset"))
    template = made["spec"]["leaderWorkerTemplate"]
    args = {
        role: template[f"{role}Template"]["spec"]["containers"][0]["args"] for role in ("leader", "worker")
    }
    assert template["size"] == 2
    assert address in args["leader"]
    assert address in args["worker"]
    ranks = [words[words.index("--node-rank") + 1] for words in args.values()]
    assert ranks == ["0", "$(LWS_WORKER_INDEX)"]
    assert ("--headless" in args["worker"]) == (engine == "vllm")
    assert "--headless" not in args["leader"]
    assert service["spec"]["selector"]["app.kubernetes.io/component"] == "leader"


def test_nodes_with_different_shares_are_refused(make_plan: Make) -> None:
    plan = make_plan("two-nodes")
    stages = (Stage("n0", (0, 1)), Stage("n0", (2, 3)), Stage("n1", (0, 1)))
    uneven = replace(plan.instances[0], stages=stages, pipeline_parallel_size=3)
    with pytest.raises(Unsupported, match=r"its nodes give it \[2, 4\] GPUs"):
        export(replace(plan, instances=(uneven,)), "leaderworkerset")
