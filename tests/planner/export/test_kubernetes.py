"""`planner.export.kubernetes`: replicas, GPUs, addresses, and what a Deployment cannot do."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import yaml

from models.errors import InvalidInput, Unsupported
from planner.export import Options, export
from planner.plan import Plan

Make = Callable[..., Plan]


def test_equal_instances_are_replicas(make_plan: Make) -> None:
    chat, service, code, _ = yaml.safe_load_all(export(make_plan("one-node"), "kubernetes"))
    assert [d["spec"]["replicas"] for d in (chat, code)] == [2, 1]
    container = chat["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["limits"] == {"nvidia.com/gpu": "4"}
    assert service["spec"]["selector"].items() <= chat["spec"]["template"]["metadata"]["labels"].items()
    assert chat["metadata"]["annotations"]["fulcrum.dev/planned-places"] == (
        "a/r0/n0:0,1,2,3; a/r0/n1:0,1,2,3"
    )


def test_instances_that_differ_in_a_flag_are_not_replicas(make_plan: Make) -> None:
    plan = make_plan("one-node")
    other = replace(plan.instances[1], max_num_seqs=64)
    found = list(
        yaml.safe_load_all(export(replace(plan, instances=(plan.instances[0], other)), "kubernetes"))
    )
    assert [d["metadata"]["name"] for d in found if d["kind"] == "Deployment"] == [
        "chat-mixed",
        "chat-mixed-2",
    ]


def test_several_nodes_are_refused(make_plan: Make) -> None:
    with pytest.raises(Unsupported, match=r"runs on 2 nodes.*export to leaderworkerset"):
        export(make_plan("two-nodes"), "kubernetes")


def test_images(make_plan: Make) -> None:
    def image(plan: Plan, **options: str) -> str:
        made = next(iter(yaml.safe_load_all(export(plan, "kubernetes", Options(**options)))))
        return str(made["spec"]["template"]["spec"]["containers"][0]["image"])

    plan = make_plan("one-node")
    assert image(plan) == "vllm/vllm-openai:v0.13.0"
    assert image(plan, engine_version="0.25.1") == "vllm/vllm-openai:v0.25.1"
    assert image(plan, image="registry/own:1") == "registry/own:1"
    mixed = replace(plan, instances=(plan.instances[0], replace(plan.instances[2], engine="sglang")))
    with pytest.raises(Unsupported, match="several engines"):
        image(mixed, image="registry/own:1")
    with pytest.raises(InvalidInput, match="is no version"):
        image(plan, engine_version="newest")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pool": "a b"}, "pool 'a b' is no Kubernetes label value"),
        ({"workload": "1"}, "makes no Kubernetes name"),
    ],
)
def test_names_that_kubernetes_does_not_take(make_plan: Make, changes: dict[str, str], message: str) -> None:
    plan = make_plan("one-node")
    with pytest.raises(Unsupported, match=message):
        export(replace(plan, instances=(replace(plan.instances[0], **changes),)), "kubernetes")
