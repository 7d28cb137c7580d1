"""vLLM launch commands, one per instance and node.

Flags as documented for vLLM 0.13: an instance that spans nodes is started once a node with ``--nnodes``,
``--node-rank`` and ``--master-addr`` (multiprocessing backend); prefill and decode instances exchange their
KV cache through ``NixlConnector``, whose roles a router in front decides.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter

from models.errors import Unsupported
from planner.plan import Instance, Plan

__all__ = ["SUMMARY", "export"]

SUMMARY = "one `vllm serve` command per instance and node"

FIRST_PORT = 8000
FIRST_SIDE_CHANNEL_PORT = 5600
"""vLLM's own default; every instance on a node needs its own."""
MASTER_PORT = 29500

_KV_CACHE_DTYPE = {"bf16": "auto", "fp8": "fp8"}
_KV_ROLE = {"prefill": "kv_producer", "decode": "kv_consumer"}
_QUANTISED_ON_LOAD = {"fp8": "fp8"}
"""Weight precisions vLLM makes from a bf16 checkpoint while loading, and the flag value for it."""


def export(plan: Plan) -> str:
    """Return a shell text: for each instance and node a comment and the command to run there."""
    blocks = []
    taken: Counter[str] = Counter()
    for instance in plan.instances:
        nodes = list(dict.fromkeys(stage.node for stage in instance.stages))
        # One offset for all its nodes: the head's port must be free on each of them.
        offset = max(taken[node] for node in nodes)
        for rank, node in enumerate(nodes):
            taken[node] = offset + 1
            part = f", part {rank + 1} of {len(nodes)}" if len(nodes) > 1 else ""
            blocks.append(f"# {instance.name} on {node}{part}\n{_command(instance, nodes, rank, offset)}\n")
    return "\n".join(blocks)


def _command(instance: Instance, nodes: list[str], rank: int, offset: int) -> str:
    """Return the command of one instance on one of its nodes."""
    gpus = [gpu for stage in instance.stages if stage.node == nodes[rank] for gpu in stage.gpus]
    environment = {"CUDA_VISIBLE_DEVICES": ",".join(map(str, gpus))}
    flags: dict[str, str | int | float | None] = {
        "--served-model-name": instance.model,
        "--tensor-parallel-size": instance.tensor_parallel_size,
        "--pipeline-parallel-size": instance.pipeline_parallel_size,
        "--max-model-len": instance.max_model_len,
        "--max-num-seqs": instance.max_num_seqs,
        "--max-num-batched-tokens": instance.max_num_batched_tokens,
        "--gpu-memory-utilization": instance.gpu_memory_utilization,
        "--kv-cache-dtype": _kv_cache_dtype(instance),
    }
    if (quantization := _quantization(instance)) is not None:
        flags["--quantization"] = quantization
    if instance.role in _KV_ROLE:
        if instance.pipeline_parallel_size > 1:
            raise Unsupported(f"{instance.name}: NixlConnector serves no pipeline-parallel instances")
        environment["VLLM_NIXL_SIDE_CHANNEL_HOST"] = _address(nodes[rank])
        environment["VLLM_NIXL_SIDE_CHANNEL_PORT"] = str(FIRST_SIDE_CHANNEL_PORT + offset)
        flags["--kv-transfer-config"] = json.dumps(
            {"kv_connector": "NixlConnector", "kv_role": _KV_ROLE[instance.role]}
        )
    flags["--port"] = FIRST_PORT + offset
    if len(nodes) > 1:
        flags |= {"--nnodes": len(nodes), "--node-rank": rank, "--master-addr": _address(nodes[0])}
        flags["--master-port"] = MASTER_PORT + offset
        if rank > 0:
            flags["--headless"] = None
    words = [*(f"{key}={_quoted(value)}" for key, value in environment.items()), "vllm", "serve"]
    lines = [" ".join([*words, shlex.quote(instance.repository)])]
    lines += [flag if value is None else f"{flag} {_quoted(value)}" for flag, value in flags.items()]
    return " \\\n  ".join(lines)


class _Expanded(str):
    """A word the shell must expand."""

    __slots__ = ()


def _address(node: str) -> _Expanded:
    """Return the shell variable with the address of a node; the shell stops where it is not set."""
    return _Expanded(f'"${{ADDRESS_{re.sub(r"[^A-Za-z0-9]", "_", node)}:?}}"')


def _quoted(value: str | float) -> str:
    return value if isinstance(value, _Expanded) else shlex.quote(str(value))


def _kv_cache_dtype(instance: Instance) -> str:
    if instance.kv_cache not in _KV_CACHE_DTYPE:
        known = ", ".join(_KV_CACHE_DTYPE)
        raise Unsupported(f"{instance.name}: vLLM has no KV cache in {instance.kv_cache}; it has {known}")
    return _KV_CACHE_DTYPE[instance.kv_cache]


def _quantization(instance: Instance) -> str | None:
    """Return the value of ``--quantization``; None where vLLM reads it from the checkpoint."""
    if instance.weights == instance.checkpoint:
        return None
    if instance.checkpoint != "bf16" or instance.weights not in _QUANTISED_ON_LOAD:
        raise Unsupported(
            f"{instance.name}: vLLM cannot load the {instance.checkpoint} checkpoint "
            f"{instance.repository} in {instance.weights}; give the "
            f"config.json of a checkpoint in that precision as the architecture"
        )
    return _QUANTISED_ON_LOAD[instance.weights]
