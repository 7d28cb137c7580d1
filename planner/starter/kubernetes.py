"""Pools from ``kubectl get nodes -o json``.

GPU types come from the label ``nvidia.com/gpu.product`` that NVIDIA's GPU feature discovery sets, counts from
the allocatable ``nvidia.com/gpu``, zones from ``topology.kubernetes.io/zone``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from models.errors import InvalidInput, UnknownName
from models.hardware import gpu
from planner.starter.document import StarterPool

__all__ = ["pools_of_nodes"]

PRODUCT, ZONE, COUNT = "nvidia.com/gpu.product", "topology.kubernetes.io/zone", "nvidia.com/gpu"
SUFFIX = re.compile(r"-(HBM\d\w?|SHARED|MIG.*)$")
"""What products carry beyond the type."""


def pools_of_nodes(text: str, *, source: str) -> tuple[tuple[StarterPool, ...], tuple[str, ...]]:
    """Return the pools of equal nodes, and a sentence for each kind of node left out.

    Raises
    ------
    InvalidInput
        The text is not a list of nodes, or no node has GPUs of a known type.
    """
    counted: Counter[tuple[str, int, str]] = Counter()
    skipped: Counter[str] = Counter()
    for node in _nodes(text, source):
        labels = (node.get("metadata") or {}).get("labels") or {}
        allocatable = (node.get("status") or {}).get("allocatable") or {}
        count = str(allocatable.get(COUNT, "0"))
        product = str(labels.get(PRODUCT, ""))
        if not count.isdigit() or int(count) == 0:
            skipped["without GPUs that can be allocated"] += 1
        elif not product:
            skipped[f"without the label {PRODUCT}"] += 1
        elif (name := _type(product)) is None:
            skipped[f"with GPUs of a type that is not in the catalogue: {product}"] += 1
        elif (node.get("spec") or {}).get("unschedulable"):
            skipped["under a cordon"] += 1
        else:
            counted[name, int(count), str(labels.get(ZONE, "default"))] += 1
    notes = tuple(f"left out {count} node{'s' if count > 1 else ''} {why}" for why, count in skipped.items())
    if not counted:
        raise InvalidInput(
            f"no node has GPUs of a known type; {'; '.join(notes) or 'there is none'}", source=source
        )
    pools = []
    for (name, per_node, zone), nodes in sorted(counted.items()):
        short = name.split("-")[0]
        alike = {key[0] for key in counted if key[0].split("-")[0] == short}
        parts = [short if len(alike) == 1 else name]
        if len({key[1] for key in counted if key[0] == name}) > 1:
            parts.append(f"x{per_node}")
        if len({key[2] for key in counted if key[0] == name}) > 1:
            parts.append(zone)
        pools.append(
            StarterPool(name="-".join(parts), gpu=name, nodes=nodes, gpus_per_node=per_node, zone=zone)
        )
    return tuple(pools), notes


def _nodes(text: str, source: str) -> list[dict[str, Any]]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InvalidInput(
            f"is no JSON: {error}; make it with kubectl get nodes -o json", source=source
        ) from None
    items = value.get("items") if isinstance(value, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InvalidInput("is no list of nodes; make it with kubectl get nodes -o json", source=source)
    return items


def _type(product: str) -> str | None:
    """The catalogue name of a product such as ``NVIDIA-H100-80GB-HBM3``; None: not catalogued."""
    name = product.removeprefix("NVIDIA-")
    while (shorter := SUFFIX.sub("", name)) != name:
        name = shorter
    for spelling in (name, name.replace("80GB-PCIe", "80g-pcie"), name.replace("SXM4-40GB", "sxm-40gb")):
        try:
            return gpu(spelling).name
        except UnknownName:
            continue
    return None
