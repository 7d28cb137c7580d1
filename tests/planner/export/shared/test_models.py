"""llm-d, Dynamo, KServe and Ray Serve: one deployment a workload, and by name what each cannot say."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml

from models.errors import Unsupported
from planner.export import Options, export
from planner.plan import Plan

Make = Callable[..., Plan]
FORMATS = ("llm-d", "dynamo", "kserve", "ray-serve")


@pytest.mark.parametrize("name", FORMATS)
def test_two_kinds_of_one_role_are_refused(make_plan: Make, name: str) -> None:
    plan = make_plan("one-node")
    other = replace(plan.instances[1], max_num_seqs=64)
    with pytest.raises(Unsupported, match=r"chat: .*1 × mixed \(chat-mixed\), 1 × mixed \(chat-mixed-2\)"):
        export(replace(plan, instances=(plan.instances[0], other)), name)


@pytest.mark.parametrize("name", FORMATS)
def test_prefill_alone_is_refused(make_plan: Make, name: str) -> None:
    plan = make_plan("split")
    with pytest.raises(Unsupported, match=r"prefill only beside decode; the plan has 2 × prefill"):
        export(replace(plan, instances=plan.instances[:2]), name)


@pytest.mark.parametrize(
    ("name", "plan", "engine", "changes", "options", "message"),
    [
        ("llm-d", "one-node", "sglang", {}, {}, "llm-d starts vllm, not sglang"),
        ("llm-d", "two-nodes", "vllm", {}, {}, "runs on 2 nodes, which is not written for llm-d"),
        ("llm-d", "one-node", "vllm", {"repository": "/models/x"}, {}, "Hugging Face or a volume claim"),
        ("kserve", "one-node", "tensorrt-llm", {}, {}, "KServe starts vllm, not tensorrt-llm"),
        ("kserve", "two-nodes", "vllm", {}, {}, "runs on 2 nodes"),
        ("kserve", "one-node", "vllm", {"repository": "./x"}, {}, "loads models by URI"),
        ("dynamo", "one-node", "tensorrt-llm", {}, {}, "workers of tensorrt-llm are not written for Dynamo"),
        ("dynamo", "one-node", "vllm", {}, {"image": "own/runtime:latest"}, "version off the image's tag"),
        ("ray-serve", "one-node", "vllm", {"gpu": "gb300-288gb"}, {}, "no accelerator type for gb300-288gb"),
        ("ray-serve", "one-node", "vllm", {}, {"image": "x:1"}, "names no image"),
    ],
)
def test_what_a_format_cannot_say(
    make_plan: Make,
    name: str,
    plan: str,
    engine: str,
    changes: dict[str, Any],
    options: dict[str, str],
    message: str,
) -> None:
    made = make_plan(plan, engine)
    odd = replace(made, instances=tuple(replace(i, **changes) for i in made.instances))
    with pytest.raises(Unsupported, match=message):
        export(odd, name, Options(**options))


def test_dynamo_gets_no_flags_that_its_operator_hands_out(make_plan: Make) -> None:
    (graph,) = yaml.safe_load_all(export(make_plan("two-nodes"), "dynamo"))
    worker = graph["spec"]["components"][1]
    args = worker["podTemplate"]["spec"]["containers"][0]["args"]
    assert worker["multinode"] == {"nodeCount": 2}
    assert not {"--nnodes", "--node-rank", "--master-addr", "--port", "--headless"} & set(args)
    assert args[args.index("--pipeline-parallel-size") + 1] == "4"


def test_dynamo_and_ray_name_the_roles(make_plan: Make) -> None:
    (graph,) = yaml.safe_load_all(export(make_plan("split"), "dynamo"))
    assert [c["type"] for c in graph["spec"]["components"]] == ["frontend", "decode", "prefill"]
    (config,) = yaml.safe_load_all(export(make_plan("split"), "ray-serve"))
    args = config["applications"][0]["args"]
    assert args["prefill_config"]["deployment_config"] == {"num_replicas": 2}
    assert args["decode_config"]["engine_kwargs"]["tensor_parallel_size"] == 4


def test_kserve_arguments_are_words_for_a_shell(make_plan: Make) -> None:
    import json
    import shlex

    (service,) = yaml.safe_load_all(export(make_plan("split"), "kserve"))
    env = {e["name"]: e.get("value") for e in service["spec"]["template"]["containers"][0]["env"]}
    words = shlex.split(env["VLLM_ADDITIONAL_ARGS"])
    assert json.loads(words[words.index("--kv-transfer-config") + 1])["kv_role"] == "kv_consumer"
    assert words[words.index("--tensor-parallel-size") + 1] == "4"
    assert env["VLLM_NIXL_SIDE_CHANNEL_HOST"] == "$(POD_IP)"


def test_applications_of_several_workloads_have_their_own_routes(make_plan: Make) -> None:
    (config,) = yaml.safe_load_all(export(make_plan("one-node"), "ray-serve"))
    assert [a["route_prefix"] for a in config["applications"]] == ["/chat", "/code"]
