"""Pods that run an instance's engine: containers, labels and the fields that only a pod knows."""

from __future__ import annotations

import re
from typing import Any

from models.errors import Unsupported
from planner.export import Options, engine_of
from planner.export.shared.about import period_note
from planner.export.shared.groups import Group
from planner.export.shared.launch import FIRST_PORT, Engine, Process, Seat
from planner.export.shared.words import address, with_addresses
from planner.plan import Instance, Plan

__all__ = [
    "GPU",
    "HEAD",
    "OWN",
    "RANK",
    "container",
    "documents",
    "engine_for",
    "expanded",
    "image_of",
    "labels",
    "metadata",
    "node_selector",
    "pod_spec",
    "process_of",
]

GPU = "nvidia.com/gpu"
DOMAIN = "fulcrum.dev"
OWN, HEAD, RANK = address("own"), address("head"), address("rank")
"""Marks for what a pod knows: its address, that of the first pod of its group, its number in the group."""

_VARIABLES = {"own": "$(POD_IP)", "head": "$(LWS_LEADER_ADDRESS)", "rank": "$(LWS_WORKER_INDEX)"}
_POD_IP = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}


def expanded(word: str) -> str:
    """A word as Kubernetes expands it in commands and environments; text that looks like it is escaped."""
    return with_addresses(word, _VARIABLES.__getitem__, lambda text: text.replace("$(", "$$("))


def engine_for(instance: Instance, options: Options) -> tuple[Engine, str]:
    """The engine of an instance and the version to write for."""
    engine = engine_of(instance.engine)
    return engine, engine.versions.choose(options.engine_version)


def image_of(plan: Plan, instance: Instance, options: Options) -> str:
    """The container image; raises `Unsupported` when one is named for several engines."""
    engine, version = engine_for(instance, options)
    if not options.image:
        return engine.image.format(version=version)
    if len({i.engine for i in plan.instances}) > 1:
        raise Unsupported("one image is named, but the plan runs several engines; leave --image out")
    return options.image


def process_of(group: Group, options: Options, seat: Seat) -> Process:
    """The process of each member of a group."""
    engine, version = engine_for(group.one, options)
    return engine.process(group.one, seat, version)


def container(plan: Plan, group: Group, options: Options, process: Process) -> dict[str, Any]:
    """A container that runs a process on all GPUs it asks for."""
    environment = [{"name": name, "value": expanded(value)} for name, value in process.environment.items()]
    words = [expanded(word) for word in process.words], [expanded(word) for word in process.flag_words()]
    if "$(POD_IP)" in str((environment, words)):
        environment.insert(0, _POD_IP)  # type: ignore[arg-type]  # a field, not a text
    made: dict[str, Any] = {
        "name": "engine",
        "image": image_of(plan, group.one, options),
        "command": words[0],
        "args": words[1],
    }
    if environment:
        made["env"] = environment
    return made | {
        "ports": [{"name": "http", "containerPort": FIRST_PORT}],
        "resources": {"limits": {GPU: str(group.gpus_per_node)}},
        "volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}],  # noqa: S108 - the container's
    }


def pod_spec(group: Group, made: dict[str, Any], *, serves: bool = True) -> dict[str, Any]:
    """A pod on a node of the group's pool; `serves` adds a readiness probe."""
    if serves:
        # Engines answer it once the weights are loaded, which takes minutes.
        made = made | {
            "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 10}
        }
    return {
        "nodeSelector": node_selector(group),
        "containers": [made],
        "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory"}}],
    }


def node_selector(group: Group) -> dict[str, str]:
    """Nodes of the pool, by a label that the nodes must carry."""
    return {f"{DOMAIN}/pool": _label_value(group.one.pool, "pool")}


def labels(plan: Plan, group: Group) -> dict[str, str]:
    """Labels of everything made for a group."""
    one = group.one
    return {
        "app.kubernetes.io/name": one.engine,
        "app.kubernetes.io/instance": group.name,
        "app.kubernetes.io/managed-by": "fulcrum",
        f"{DOMAIN}/fleet": _label_value(plan.fleet, "fleet"),
        f"{DOMAIN}/workload": _label_value(one.workload, "workload"),
        f"{DOMAIN}/role": one.role,
    }


def metadata(plan: Plan, group: Group) -> dict[str, Any]:
    """Name, labels, and where the plan has the group: Kubernetes places pods itself, by the pool alone."""
    return {
        "name": group.name,
        "labels": labels(plan, group),
        "annotations": {f"{DOMAIN}/planned-places": group.places},
    }


def documents(plan: Plan, made: list[dict[str, Any]]) -> str:
    """Documents of one YAML text, with where it comes from on top."""
    import yaml

    class Written(yaml.SafeDumper):
        """Without anchors: what is used twice is written twice, as people do."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    body = yaml.dump_all(made, Dumper=Written, sort_keys=False, allow_unicode=True, width=120)
    origin = f"# fleet {plan.fleet}, plan of {plan.fleet_digest[:12]}, Fulcrum {plan.fulcrum_version}\n"
    return f"{origin}{period_note(plan)}{body}"


def _label_value(text: str, what: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", text):
        raise Unsupported(
            f"{what} {text!r} is no Kubernetes label value (letters, digits, '-', '_', '.', at most 63)"
        )
    return text
