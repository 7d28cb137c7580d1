"""Ray Serve LLM: a Serve config with one application for each workload.

``ray.serve.llm`` as in Ray 2.46 to 2.55 (``docs.ray.io``, "Serving LLMs", "Configuration reference"):
``build_openai_app`` with one LLMConfig for mixed instances, ``build_pd_openai_app`` with a prefill and a
decode config. Engine settings are vLLM's own arguments under ``engine_kwargs``. vLLM only. Ray places the
replicas itself; where an instance spans nodes, one bundle a GPU lets it.
"""

from __future__ import annotations

import json
from typing import Any

from models.errors import Unsupported
from planner.export import Options
from planner.export.shared.groups import Group
from planner.export.shared.launch import Flag, Seat
from planner.export.shared.models import Serving, servings
from planner.export.shared.pods import documents, process_of
from planner.plan import Plan

__all__ = ["FORMAT_VERSION", "SUMMARY", "export"]

SUMMARY = "a Ray Serve config with LLM applications"
FORMAT_VERSION = "ray.serve.llm of Ray 2.46 to 2.55"

_ACCELERATORS = {
    "a100-sxm-80gb": "A100-80G",
    "a100-sxm-40gb": "A100-40G",
    "h100-sxm-80gb": "H100",
    "h200-sxm-141gb": "H200",
    "b200-sxm-180gb": "B200",
    "l40s-48gb": "L40S",
    "l4-24gb": "L4",
    "h20-96gb": "H20",
}
"""Catalogue name → Ray's name of the accelerator type."""

_SET_BY_RAY = (
    "--port", "--served-model-name", "--kv-transfer-config", "--nnodes", "--node-rank", "--master-addr",
    "--master-port", "--headless",
)  # fmt: skip


def export(plan: Plan, options: Options) -> str:
    """Return one YAML document for ``serve deploy``."""
    if options.image:
        raise Unsupported("a Ray Serve config names no image: the cluster's nodes have theirs")
    found = servings(plan, "Ray Serve LLM", engine="vllm", several_nodes=True)
    applications = [_application(serving, options, alone=len(found) == 1) for serving in found]
    return documents(plan, [{"applications": applications}])


def _application(serving: Serving, options: Options, *, alone: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"name": serving.name, "route_prefix": "/" if alone else f"/{serving.name}"}
    if serving.prefill is None:
        return made | {
            "import_path": "ray.serve.llm:build_openai_app",
            "args": {"llm_configs": [_config(serving.main, options)]},
        }
    return made | {
        "import_path": "ray.serve.llm:build_pd_openai_app",
        "args": {
            "prefill_config": _config(serving.prefill, options),
            "decode_config": _config(serving.main, options),
        },
    }


def _argument(value: Flag) -> Any:
    """A flag's value as YAML has it."""
    if value is None:
        return True
    return list(value) if isinstance(value, tuple) else value


def _config(group: Group, options: Options) -> dict[str, Any]:
    one = group.one
    if one.gpu not in _ACCELERATORS:
        known = ", ".join(sorted(_ACCELERATORS))
        raise Unsupported(f"{one.name}: Ray has no accelerator type for {one.gpu}; it has {known}")
    process = process_of(group, options, Seat(nodes=group.nodes, own="", head=""))
    arguments: dict[str, Any] = {
        name.removeprefix("--").replace("-", "_"): _argument(value)
        for name, value in process.flags.items()
        if name not in _SET_BY_RAY
    }
    if "speculative_config" in arguments:
        arguments["speculative_config"] = json.loads(str(arguments["speculative_config"]))
    if one.role != "mixed":
        arguments["kv_transfer_config"] = {"kv_connector": "NixlConnector", "kv_role": "kv_both"}
    made: dict[str, Any] = {
        "model_loading_config": {"model_id": one.model, "model_source": one.repository},
        "accelerator_type": _ACCELERATORS[one.gpu],
        "deployment_config": {"num_replicas": len(group.members)},
        "engine_kwargs": arguments,
    }
    if group.nodes > 1:
        bundles = [{"GPU": 1} for _ in range(one.gpu_count)]
        made["placement_group_config"] = {"bundles": bundles, "strategy": "PACK"}
    return made
