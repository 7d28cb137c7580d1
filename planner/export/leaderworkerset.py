"""LeaderWorkerSet: one set for each kind of instance, one group of pods for each instance, one pod a node.

``leaderworkerset.x-k8s.io/v1`` as in LeaderWorkerSet 0.4 to 0.7. Pods learn the leader's address and
their number from the controller's variables ``LWS_LEADER_ADDRESS`` and ``LWS_WORKER_INDEX``. A group
restarts as a whole, for engines do not survive the loss of a rank; all of an instance's pods stay with
the planned pool.
"""

from __future__ import annotations

from typing import Any

from planner.export import Options
from planner.export.shared.groups import Group, groups_of
from planner.export.shared.launch import FIRST_PORT, Seat
from planner.export.shared.pods import (
    HEAD,
    OWN,
    RANK,
    container,
    documents,
    labels,
    metadata,
    pod_spec,
    process_of,
)
from planner.plan import Plan

__all__ = ["FORMAT_VERSION", "SUMMARY", "export"]

SUMMARY = "Kubernetes LeaderWorkerSets and Services, instances on one or more nodes"
FORMAT_VERSION = "leaderworkerset.x-k8s.io/v1"


def export(plan: Plan, options: Options) -> str:
    """Return YAML documents, a LeaderWorkerSet and a Service for each kind of instance."""
    made = []
    for group in groups_of(plan):
        made += [_set(plan, group, options), _service(plan, group)]
    return documents(plan, made)


def _set(plan: Plan, group: Group, options: Options) -> dict[str, Any]:
    template: dict[str, Any] = {
        "size": group.nodes,
        "restartPolicy": "RecreateGroupOnPodRestart",
        "leaderTemplate": _pod(plan, group, options, leads=True),
    }
    # a worker template is asked for even where no worker will run
    template["workerTemplate"] = _pod(plan, group, options, leads=group.nodes == 1)
    return {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": metadata(plan, group),
        "spec": {
            "replicas": len(group.members),
            "rolloutStrategy": {
                "type": "RollingUpdate",
                "rollingUpdateConfiguration": {"maxSurge": 0, "maxUnavailable": 1},
            },
            "leaderWorkerTemplate": template,
        },
    }


def _pod(plan: Plan, group: Group, options: Options, *, leads: bool) -> dict[str, Any]:
    rank = "0" if leads else RANK
    seat = Seat(rank=rank, nodes=group.nodes, own=OWN, head=HEAD, leads=leads)
    made = container(plan, group, options, process_of(group, options, seat))
    named = labels(plan, group) | {"app.kubernetes.io/component": "leader" if leads else "worker"}
    return {"metadata": {"labels": named}, "spec": pod_spec(group, made, serves=leads)}


def _service(plan: Plan, group: Group) -> dict[str, Any]:
    leaders = {"app.kubernetes.io/instance": group.name, "app.kubernetes.io/component": "leader"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        # the set's controller makes a headless service of the set's own name
        "metadata": {"name": f"{group.name}-http", "labels": labels(plan, group)},
        "spec": {"selector": leaders, "ports": [{"name": "http", "port": FIRST_PORT, "targetPort": "http"}]},
    }
