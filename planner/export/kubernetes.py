"""Kubernetes: a Deployment for each kind of instance, and a Service in front of it.

``apps/v1`` and ``v1`` as in Kubernetes 1.28 and newer; GPUs through NVIDIA's device plugin
(``nvidia.com/gpu``). Pods go to nodes labelled ``fulcrum.dev/pool: POOL``; which node and which of its
GPUs is Kubernetes' own choice, the planned one is an annotation. An instance on several nodes is refused:
that is what LeaderWorkerSet is for.
"""

from __future__ import annotations

from typing import Any

from models.errors import Unsupported
from planner.export import Options
from planner.export.shared.groups import Group, groups_of
from planner.export.shared.launch import FIRST_PORT, Seat
from planner.export.shared.pods import (
    HEAD,
    OWN,
    container,
    documents,
    labels,
    metadata,
    pod_spec,
    process_of,
)
from planner.plan import Plan

__all__ = ["FORMAT_VERSION", "SUMMARY", "export"]

SUMMARY = "Kubernetes Deployments and Services, instances on one node each"
FORMAT_VERSION = "apps/v1, v1"


def export(plan: Plan, options: Options) -> str:
    """Return YAML documents, a Deployment and a Service for each kind of instance."""
    made = []
    for group in groups_of(plan):
        if group.nodes > 1:
            raise Unsupported(
                f"{group.one.name} runs on {group.nodes} nodes, which a Deployment cannot start together; "
                "export to leaderworkerset"
            )
        made += [_deployment(plan, group, options), _service(plan, group)]
    return documents(plan, made)


def _deployment(plan: Plan, group: Group, options: Options) -> dict[str, Any]:
    engine = container(plan, group, options, process_of(group, options, Seat(own=OWN, head=HEAD)))
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(plan, group),
        "spec": {
            "replicas": len(group.members),
            # a new pod has no GPU before an old one is gone
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "selector": {"matchLabels": {"app.kubernetes.io/instance": group.name}},
            "template": {
                "metadata": {"labels": labels(plan, group)},
                "spec": pod_spec(group, engine),
            },
        },
    }


def _service(plan: Plan, group: Group) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": group.name, "labels": labels(plan, group)},
        "spec": {
            "selector": {"app.kubernetes.io/instance": group.name},
            "ports": [{"name": "http", "port": FIRST_PORT, "targetPort": "http"}],
        },
    }
