"""Every format: the same bytes as the golden file, fields that the public schema knows, and one summary line.

``FULCRUM_UPDATE_GOLDEN=1 pytest tests/planner/export`` writes the golden files anew; look at the difference.
"""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.errors import Unsupported
from planner.export import Options, engine_of, engines, export, export_formats, exporter
from planner.plan import Plan
from planner.plan.drafting import Drafting

GOLDEN = Path(__file__).parent / "golden"
SHELL = ("vllm", "sglang", "tensorrt-llm")
CASES = [
    ("vllm", "one-node", "vllm"), ("vllm", "split", "vllm"), ("vllm", "two-nodes", "vllm"),
    ("sglang", "one-node", "sglang"), ("sglang", "split", "sglang"), ("sglang", "two-nodes", "sglang"),
    ("tensorrt-llm", "one-node", "tensorrt-llm"),
    ("kubernetes", "one-node", "vllm"), ("kubernetes", "split", "sglang"),
    ("leaderworkerset", "one-node", "tensorrt-llm"), ("leaderworkerset", "two-nodes", "vllm"),
    ("leaderworkerset", "two-nodes", "sglang"), ("leaderworkerset", "split", "vllm"),
    ("llm-d", "one-node", "vllm"), ("llm-d", "split", "vllm"),
    ("dynamo", "one-node", "sglang"), ("dynamo", "split", "vllm"), ("dynamo", "two-nodes", "vllm"),
    ("kserve", "one-node", "vllm"), ("kserve", "split", "vllm"),
    ("ray-serve", "one-node", "vllm"), ("ray-serve", "split", "vllm"), ("ray-serve", "two-nodes", "vllm"),
]  # fmt: skip
KUBERNETES = "kubernetes-1.34.json#/$defs/io.k8s.api."
SCHEMAS = {
    "Deployment": f"{KUBERNETES}apps.v1.Deployment",
    "Service": f"{KUBERNETES}core.v1.Service",
    "LeaderWorkerSet": "leaderworkerset-v1.json",
    "DynamoGraphDeployment": "dynamographdeployment-v1beta1.json",
    "LLMInferenceService": "llminferenceservice-v1alpha1.json",
    "llm-d": "llm-d-modelservice-values.json",
    "ray-serve": "ray-serve-llm.json",
}


@pytest.mark.parametrize(("name", "plan", "engine"), CASES)
def test_same_bytes_as_the_golden_file(
    name: str, plan: str, engine: str, make_plan: Callable[..., Plan]
) -> None:
    found = export(make_plan(plan, engine), name)
    suffix = "sh" if name in SHELL else "yaml"
    path = GOLDEN / f"{name}-{plan}{'' if engine == name else f'-{engine}'}.{suffix}"
    if os.environ.get("FULCRUM_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found)

    assert found == path.read_text()
    assert found == export(make_plan(plan, engine), name)


def test_no_golden_file_is_left_over() -> None:
    named = {f"{n}-{p}{'' if e == n else f'-{e}'}" for n, p, e in CASES}
    assert {path.stem for path in GOLDEN.iterdir()} == named
    assert {name for name, _, _ in CASES} == set(export_formats())


@pytest.mark.parametrize(("name", "plan", "engine"), [c for c in CASES if c[0] not in SHELL])
def test_documents_have_the_fields_of_the_public_schema(
    name: str,
    plan: str,
    engine: str,
    make_plan: Callable[..., Plan],
    problems: Callable[[Any, str], list[str]],
) -> None:
    documents = list(yaml.safe_load_all(export(make_plan(plan, engine), name)))
    assert documents
    for document in documents:
        assert problems(document, SCHEMAS[document.get("kind", name)]) == []


def test_the_validator_finds_mistakes(
    make_plan: Callable[..., Plan], problems: Callable[[Any, str], list[str]]
) -> None:
    (one, *_) = yaml.safe_load_all(export(make_plan("one-node"), "kubernetes"))
    one["spec"]["replica"] = one["spec"].pop("replicas")
    container = one["spec"]["template"]["spec"]["containers"][0]
    container["args"].append(5)
    del container["name"]
    found = problems(one, SCHEMAS["Deployment"])

    assert "$.spec: no field replica" in found
    assert any("args" in said and "5 is no" in said for said in found)
    assert any(said.endswith("containers[0]: name is missing") for said in found)


@pytest.mark.parametrize("name", export_formats())
def test_formats_say_what_they_are(name: str) -> None:
    module = exporter(name)
    assert len(module.SUMMARY) < 80
    assert re.search(r"\d", module.FORMAT_VERSION)


@pytest.mark.parametrize("name", engines())
def test_versions_outside_the_known_range_are_refused(name: str, make_plan: Callable[..., Plan]) -> None:
    plan = make_plan("one-node", name)
    newest = engine_of(name).versions.last
    assert export(plan, name, Options(engine_version=newest))
    with pytest.raises(Unsupported, match=f"not known here.*to {re.escape(newest)} are"):
        export(plan, name, Options(engine_version="99.1"))
    with pytest.raises(Unsupported, match="not known here"):
        export(plan, name, Options(engine_version="0.0.1"))


def test_shell_metacharacters_in_names_never_reach_a_pod_unescaped(make_plan: Callable[..., Plan]) -> None:
    from dataclasses import replace

    plan = make_plan("one-node")
    odd = replace(plan, instances=(replace(plan.instances[0], repository="org/$(POD_IP)"),))
    (deployment, _) = yaml.safe_load_all(export(odd, "kubernetes"))
    assert deployment["spec"]["template"]["spec"]["containers"][0]["command"][-1] == "org/$$(POD_IP)"


@pytest.mark.parametrize("name", ["dynamo", "kserve", "llm-d", "ray-serve"])
def test_gateways_take_shared_experts_but_no_replicas(name: str, make_plan: Callable[..., Plan]) -> None:
    plan = make_plan("one-node")
    shared = replace(
        plan, instances=(replace(plan.instances[0], gpu="h100-sxm-80gb", expert_parallel_size=4),)
    )
    wanted = "enable_expert_parallel: true" if name == "ray-serve" else "--enable-expert-parallel"
    assert wanted in export(shared, name)
    replicas = replace(shared.instances[0], tensor_parallel_size=2, data_parallel_size=2)
    with pytest.raises(Unsupported, match="2 attention replicas in one instance are not written"):
        export(replace(shared, instances=(replicas,)), name)


def test_ray_gets_speculative_decoding_as_a_mapping(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan("one-node", "vllm")
    mtp = Drafting(method="mtp", tokens=1, tokens_per_step=1.8)
    drafting = replace(plan, instances=tuple(replace(i, drafting=mtp) for i in plan.instances))
    (config,) = yaml.safe_load_all(export(drafting, "ray-serve"))
    arguments = config["applications"][0]["args"]["llm_configs"][0]["engine_kwargs"]
    assert arguments["speculative_config"] == {"method": "mtp", "num_speculative_tokens": 1}
