"""NVIDIA Dynamo: one DynamoGraphDeployment a workload, a frontend with its workers.

``nvidia.com/v1beta1`` as in Dynamo 1.3 to 1.5 (``docs.nvidia.com/dynamo``, "DynamoGraphDeployment"):
``spec.components``, each with a ``podTemplate`` whose container is called ``main``. Workers run Dynamo's
own wrapper of an engine (``python3 -m dynamo.vllm``, ``dynamo.sglang``), which takes the engine's flags;
ports and the hand-over of the KV cache are the wrapper's own. An instance on several nodes is a component
with ``multinode.nodeCount``, whose ranks the operator hands out.
"""

from __future__ import annotations

import re
from typing import Any

from models.errors import Unsupported
from planner.export import Options
from planner.export.shared.groups import Group
from planner.export.shared.launch import Process, Seat
from planner.export.shared.models import Serving, servings
from planner.export.shared.pods import (
    GPU,
    HEAD,
    OWN,
    documents,
    expanded,
    metadata,
    node_selector,
    process_of,
)
from planner.plan import Instance, Plan

__all__ = ["FORMAT_VERSION", "SUMMARY", "export"]

SUMMARY = "one Dynamo DynamoGraphDeployment a workload"
FORMAT_VERSION = "nvidia.com/v1beta1"

_RELEASE = "1.3.1"
_WRAPPERS = {"vllm": ("dynamo.vllm", "vllm-runtime"), "sglang": ("dynamo.sglang", "sglang-runtime")}
_OWN_FLAGS = {
    "vllm": (
        "--port", "--kv-transfer-config", "--nnodes", "--node-rank", "--master-addr", "--master-port",
        "--headless",
    ),
    "sglang": (
        "--host", "--port", "--nnodes", "--node-rank", "--dist-init-addr", "--disaggregation-bootstrap-port",
    ),
}  # fmt: skip
"""Flags that the wrapper or the operator sets itself."""
_HAND_OVER = ("--kv-transfer-config", '{"kv_connector":"NixlConnector","kv_role":"kv_both"}')


def export(plan: Plan, options: Options) -> str:
    """Return YAML documents, one DynamoGraphDeployment a workload."""
    return documents(plan, [_graph(plan, s, options) for s in servings(plan, "Dynamo", several_nodes=True)])


def _graph(plan: Plan, serving: Serving, options: Options) -> dict[str, Any]:
    engine = serving.main.one.engine
    if engine not in _WRAPPERS:
        known = ", ".join(_WRAPPERS)
        raise Unsupported(
            f"{serving.main.one.name}: workers of {engine} are not written for Dynamo; {known} are"
        )
    if options.image and not re.search(r":v?\d+\.\d+\.\d+[^/]*$", options.image):
        raise Unsupported(
            f"Dynamo reads its version off the image's tag, which {options.image} does not have"
        )
    image = options.image or f"nvcr.io/nvidia/ai-dynamo/{_WRAPPERS[engine][1]}:{_RELEASE}"
    frontend = {
        "name": "Frontend",
        "type": "frontend",
        "replicas": 1,
        "podTemplate": {"spec": {"containers": [{"name": "main", "image": image}]}},
    }
    about = metadata(plan, serving.main) | {"name": serving.name}
    about["annotations"] = {
        key: "; ".join(group.places for group in serving.groups) for key in about["annotations"]
    }
    return {
        "apiVersion": FORMAT_VERSION,
        "kind": "DynamoGraphDeployment",
        "metadata": about,
        "spec": {"components": [frontend, *(_worker(group, options, image) for group in serving.groups)]},
    }


def _worker(group: Group, options: Options, image: str) -> dict[str, Any]:
    one = group.one
    seat = Seat(nodes=group.nodes, own=OWN, head=HEAD)
    process = process_of(group, options, seat)
    main = {
        "name": "main",
        "image": image,
        "command": ["python3", "-m", _WRAPPERS[one.engine][0]],
        "args": [expanded(word) for word in _flags(group, process)],
        "resources": {"limits": {GPU: str(group.gpus_per_node)}},
    }
    made: dict[str, Any] = {
        "name": group.name,
        "type": one.role if one.role != "mixed" else "worker",
        "replicas": len(group.members),
    }
    if group.nodes > 1:
        made["multinode"] = {"nodeCount": group.nodes}
    return made | {"podTemplate": {"spec": {"nodeSelector": node_selector(group), "containers": [main]}}}


def _role(instance: Instance) -> tuple[str, ...]:
    return () if instance.role == "mixed" else ("--disaggregation-mode", instance.role)


def _flags(group: Group, process: Process) -> tuple[str, ...]:
    """The engine's flags less those that are not ours to set, and the wrapper's own for a role."""
    one = group.one
    kept = {name: value for name, value in process.flags.items() if name not in _OWN_FLAGS[one.engine]}
    words = Process((), kept).flag_words()
    if one.engine == "vllm":
        return ("--model", one.repository, *words, *(_HAND_OVER if one.role != "mixed" else ()), *_role(one))
    return words
