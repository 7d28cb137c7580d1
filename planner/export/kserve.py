"""KServe: one LLMInferenceService a workload.

``serving.kserve.io/v1alpha1`` as in KServe 0.16 to 0.21 (``kserve.github.io``, "LLMInferenceService
configuration"); 0.20 and newer also have v1alpha2 and convert. Decode or mixed instances are the main
workload, prefill instances ``spec.prefill``; the pods' ``main`` container gets vLLM's flags through
``VLLM_ADDITIONAL_ARGS``, which the runtime that KServe ships appends to its own command. vLLM only.
Pipeline parallelism and several nodes want KServe's ``worker`` templates and are refused.
"""

from __future__ import annotations

import shlex
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
    image_of,
    metadata,
    node_selector,
    process_of,
)
from planner.plan import Plan

__all__ = ["FORMAT_VERSION", "SUMMARY", "export"]

SUMMARY = "one KServe LLMInferenceService a workload"
FORMAT_VERSION = "serving.kserve.io/v1alpha1"

_RUNTIME_FLAGS = ("--port", "--served-model-name")
"""Flags that KServe's runtime sets itself."""


def export(plan: Plan, options: Options) -> str:
    """Return YAML documents, one LLMInferenceService a workload."""
    return documents(plan, [_service(plan, s, options) for s in servings(plan, "KServe", engine="vllm")])


def _service(plan: Plan, serving: Serving, options: Options) -> dict[str, Any]:
    one = serving.main.one
    spec: dict[str, Any] = {
        "model": {"uri": _uri(one.repository), "name": one.model},
        "router": {"route": {}, "gateway": {}, "scheduler": {}},
        **_workload(plan, serving.main, options),
    }
    if serving.prefill is not None:
        spec["prefill"] = _workload(plan, serving.prefill, options)
    about = metadata(plan, serving.main) | {"name": serving.name}
    about["annotations"] = {
        key: "; ".join(group.places for group in serving.groups) for key in about["annotations"]
    }
    return {"apiVersion": FORMAT_VERSION, "kind": "LLMInferenceService", "metadata": about, "spec": spec}


def _uri(repository: str) -> str:
    if "://" in repository:
        return repository
    if repository.startswith(("/", ".")):
        raise Unsupported(
            f"KServe loads models by URI (hf://, s3://, pvc://), not from the folder {repository}: "
            "give a repository in the fleet document"
        )
    return f"hf://{repository}"


def _workload(plan: Plan, group: Group, options: Options) -> dict[str, Any]:
    one = group.one
    if one.pipeline_parallel_size > 1:
        raise Unsupported(
            f"{one.name}: pipeline parallelism is not written for KServe; export to leaderworkerset"
        )
    process = process_of(group, options, Seat(own=OWN, head=HEAD))
    kept = {name: value for name, value in process.flags.items() if name not in _RUNTIME_FLAGS}
    arguments = shlex.join(expanded(word) for word in Process((), kept).flag_words())
    environment: list[dict[str, Any]] = []
    if process.environment:
        environment.append({"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}})
    environment += [{"name": name, "value": expanded(v)} for name, v in process.environment.items()]
    environment.append({"name": "VLLM_ADDITIONAL_ARGS", "value": arguments})
    main: dict[str, Any] = {"name": "main"}
    if options.image or options.engine_version:
        main["image"] = image_of(plan, one, options)
    main |= {"env": environment, "resources": {"limits": {GPU: str(group.gpus_per_node)}}}
    return {
        "replicas": len(group.members),
        "parallelism": {"tensor": one.tensor_parallel_size},
        "template": {"nodeSelector": node_selector(group), "containers": [main]},
    }
