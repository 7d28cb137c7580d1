"""llm-d: values of the ``llm-d-modelservice`` Helm chart, one release a workload.

Chart 0.3 to 0.4 (``llm-d-incubation/llm-d-modelservice``): ``modelArtifacts``, ``routing``, ``decode``
and ``prefill`` with their replicas, parallelism and containers. The command is given in full
(``modelCommand: custom``), so that the chart adds no flags of its own. vLLM only; the decode engine
listens behind the chart's routing proxy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from models.errors import Unsupported
from planner.export import Options
from planner.export.shared.groups import Group
from planner.export.shared.launch import FIRST_PORT, Seat
from planner.export.shared.models import Serving, servings
from planner.export.shared.pods import HEAD, OWN, container, documents, node_selector, process_of
from planner.plan import Plan

__all__ = ["FORMAT_VERSION", "SUMMARY", "export"]

SUMMARY = "values of the llm-d-modelservice Helm chart, one document a workload"
FORMAT_VERSION = "llm-d-modelservice 0.3 to 0.4"
_PROXIED_PORT = 8200
"""Where the chart's routing proxy expects the decode engine."""


def export(plan: Plan, options: Options) -> str:
    """Return one YAML document a workload: ``helm install NAME -f`` each."""
    return documents(plan, [_values(plan, s, options) for s in servings(plan, "llm-d", engine="vllm")])


def _values(plan: Plan, serving: Serving, options: Options) -> dict[str, Any]:
    one = serving.main.one
    if one.repository.startswith(("/", ".", "s3:", "gs:")):
        raise Unsupported(
            f"{one.name}: llm-d loads models from Hugging Face or a volume claim, not from {one.repository}"
        )
    disaggregated = serving.prefill is not None
    values: dict[str, Any] = {
        "fullnameOverride": serving.name,
        "modelArtifacts": {"name": one.model, "uri": f"hf://{one.repository}"},
        "multinode": False,
        "routing": {"servicePort": FIRST_PORT, "proxy": {"enabled": disaggregated}},
        "decode": _role(plan, serving.main, options, port=_PROXIED_PORT if disaggregated else FIRST_PORT),
    }
    if disaggregated:
        values["routing"]["proxy"] |= {"targetPort": _PROXIED_PORT, "connector": "nixlv2"}
    values["prefill"] = (
        {"create": False}
        if serving.prefill is None
        else _role(plan, serving.prefill, options, port=FIRST_PORT)
    )
    return values


def _role(plan: Plan, group: Group, options: Options, *, port: int) -> dict[str, Any]:
    seat = replace(Seat(own=OWN, head=HEAD), port=port)
    made = container(plan, group, options, process_of(group, options, seat))
    made |= {"name": "vllm", "modelCommand": "custom", "mountModelVolume": False}
    made["ports"] = [{"name": "metrics", "containerPort": port}]
    return {
        "create": True,
        "replicas": len(group.members),
        "nodeSelector": node_selector(group),
        "parallelism": {"tensor": group.one.tensor_parallel_size, "data": 1, "dataLocal": 1, "workers": 1},
        "containers": [made],
        "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory"}}],
    }
