"""Nodes as kubectl lists them."""

from __future__ import annotations

import json

import pytest

from models.errors import InvalidInput
from planner.starter import pools_of_nodes


def node(
    product: str | None, count: int = 8, zone: str | None = "east-a", **spec: object
) -> dict[str, object]:
    labels = {} if product is None else {"nvidia.com/gpu.product": product}
    if zone is not None:
        labels["topology.kubernetes.io/zone"] = zone
    return {
        "metadata": {"labels": labels},
        "spec": spec,
        "status": {"allocatable": {"cpu": "64", **({"nvidia.com/gpu": str(count)} if count else {})}},
    }


def pools(*nodes: dict[str, object]):
    return pools_of_nodes(json.dumps({"items": list(nodes)}), source="nodes.json")


@pytest.mark.parametrize(
    ("product", "name"),
    [
        ("NVIDIA-H100-80GB-HBM3", "h100-sxm-80gb"), ("NVIDIA-H200", "h200-sxm-141gb"),
        ("NVIDIA-A100-SXM4-80GB", "a100-sxm-80gb"), ("NVIDIA-A100-SXM4-40GB", "a100-sxm-40gb"),
        ("NVIDIA-A100-80GB-PCIe", "a100-pcie-80gb"), ("NVIDIA-H100-PCIe", "h100-pcie-80gb"),
        ("NVIDIA-L40S", "l40s-48gb"), ("NVIDIA-B200", "b200-sxm-180gb"), ("NVIDIA-L4", "l4-24gb"),
        ("NVIDIA-A10", "a10-24gb"), ("NVIDIA-GB200", "gb200-186gb"), ("NVIDIA-L40S-SHARED", "l40s-48gb"),
    ],
)  # fmt: skip
def test_products_are_known(product: str, name: str) -> None:
    ((pool,), notes) = pools(node(product))
    assert (pool.gpu, pool.nodes, pool.gpus_per_node, notes) == (name, 1, 8, ())


def test_equal_nodes_are_one_pool_and_others_are_named_apart() -> None:
    found, notes = pools(
        node("NVIDIA-H200"), node("NVIDIA-H200"), node("NVIDIA-H200", zone="east-b"), node("NVIDIA-L4", 1),
        node("NVIDIA-L4", 4), node(None), node("NVIDIA-H200", 0), node("NVIDIA-TITAN-V"),
        node("NVIDIA-H200", unschedulable=True),
    )  # fmt: skip
    assert [(p.name, p.nodes, p.gpus_per_node, p.zone) for p in found] == [
        ("h200-east-a", 2, 8, "east-a"),
        ("h200-east-b", 1, 8, "east-b"),
        ("l4-x1", 1, 1, "east-a"),
        ("l4-x4", 1, 4, "east-a"),
    ]
    assert notes == (
        "left out 1 node without the label nvidia.com/gpu.product",
        "left out 1 node without GPUs that can be allocated",
        "left out 1 node with GPUs of a type that is not in the catalogue: NVIDIA-TITAN-V",
        "left out 1 node under a cordon",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON"), ("[]", "is no list of nodes"), ('{"items": 3}', "is no list of nodes"),
        ('{"items": []}', "there is none"), ('{"items": [{}]}', "left out 1 node without GPUs"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_nodes(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        pools_of_nodes(text, source="nodes.json")
