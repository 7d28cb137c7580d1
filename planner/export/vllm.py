"""vLLM launch commands, one per instance and node.

Flags as in the argument parsers of vLLM 0.10.0, 0.11.2, 0.12.0 and 0.33.0 (PyPI) and documented at
``docs.vllm.ai`` ("serve", "parallelism and scaling"). An instance that spans nodes is started once a node
with ``--nnodes``, ``--node-rank`` and ``--master-addr`` (multiprocessing backend, 0.11.2 or newer). Prefill
and decode instances exchange their KV cache through ``NixlConnector``, whose roles a router in front decides.
"""

from __future__ import annotations

import json

from models.errors import Unsupported
from planner.export import Options
from planner.export.shared.launch import Engine, Flag, LaunchCommand, Process, Seat, commands_of
from planner.export.shared.shell import script
from planner.export.shared.version import Versions
from planner.export.shared.words import plain
from planner.plan import Instance, Plan

__all__ = ["ENGINE", "FORMAT_VERSION", "SUMMARY", "export", "launch_commands"]

SUMMARY = "one `vllm serve` command per instance and node"
_VERSIONS = Versions(engine="vLLM", first="0.10.0", last="0.33", default="0.13.0")
FORMAT_VERSION = f"vLLM {_VERSIONS.first} to {_VERSIONS.last}"

_KV_CACHE_DTYPE = {"bf16": "auto", "fp8": "fp8"}
_KV_ROLE = {"prefill": "kv_producer", "decode": "kv_consumer"}
_DRAFTING_SINCE = {"mtp": "0.11.0", "eagle": None, "eagle3": None, "draft_model": "0.17.0"}
"""First version of the range that knows the method by that name (None: all do)."""
_QUANTISED_ON_LOAD = {"fp8": "fp8"}
"""Weight precisions vLLM makes from a bf16 checkpoint while loading, and the flag value for it."""


def export(plan: Plan, options: Options) -> str:
    """Return a shell text: for each instance and node a comment and the command to run there."""
    return script(plan, ENGINE, _VERSIONS.choose(options.engine_version))


def launch_commands(plan: Plan, version: str = "") -> tuple[LaunchCommand, ...]:
    """Return the commands for the vLLM instances of a plan, as words."""
    return tuple(commands_of(plan, ENGINE, _VERSIONS.choose(version)))


def _process(instance: Instance, seat: Seat, version: str) -> Process:
    """Return ``vllm serve`` with its flags for one node of an instance."""
    environment: dict[str, str] = {}
    flags: dict[str, Flag] = {
        "--served-model-name": plain(instance.model),
        "--tensor-parallel-size": instance.tensor_parallel_size,
        "--pipeline-parallel-size": instance.pipeline_parallel_size,
        "--max-model-len": instance.max_model_len,
        # of each attention replica
        "--max-num-seqs": -(-instance.max_num_seqs // instance.data_parallel_size),
        "--max-num-batched-tokens": instance.max_num_batched_tokens,
        "--gpu-memory-utilization": instance.gpu_memory_utilization,
        "--kv-cache-dtype": _kv_cache_dtype(instance),
    }
    if instance.data_parallel_size > 1:
        flags["--data-parallel-size"] = instance.data_parallel_size
    if instance.expert_parallel_size > 1:
        if instance.expert_parallel_size != instance.stage_gpus:
            raise Unsupported(
                f"{instance.name}: vLLM deals experts to all {instance.stage_gpus} GPUs of a stage "
                f"or to none, not to {instance.expert_parallel_size} groups"
            )
        flags["--enable-expert-parallel"] = None
    if (quantization := _quantization(instance)) is not None:
        flags["--quantization"] = quantization
    if (drafting := instance.drafting) is not None:
        if (first := _DRAFTING_SINCE[drafting.method]) is not None:
            _VERSIONS.require(version, first, f"{instance.name}: speculative decoding by {drafting.method}")
        said: dict[str, str | int] = {
            "method": drafting.method,
            "num_speculative_tokens": drafting.tokens,
        }
        if drafting.repository:
            said |= {"model": plain(drafting.repository)}
            said |= {"draft_tensor_parallel_size": instance.tensor_parallel_size}
        flags["--speculative-config"] = json.dumps(said)
    if instance.adapter_slots:
        flags |= {"--enable-lora": None, "--max-loras": instance.adapter_slots}
        flags["--max-lora-rank"] = instance.adapter_rank
        if instance.adapters:
            flags["--lora-modules"] = tuple(f"{a.name}={plain(a.repository)}" for a in instance.adapters)
    if instance.role in _KV_ROLE:
        if instance.pipeline_parallel_size > 1:
            raise Unsupported(f"{instance.name}: NixlConnector serves no pipeline-parallel instances")
        environment["VLLM_NIXL_SIDE_CHANNEL_HOST"] = seat.own
        environment["VLLM_NIXL_SIDE_CHANNEL_PORT"] = str(seat.side_channel_port)
        flags["--kv-transfer-config"] = json.dumps(
            {"kv_connector": "NixlConnector", "kv_role": _KV_ROLE[instance.role]}
        )
    flags["--port"] = seat.port
    if seat.nodes > 1:
        _VERSIONS.require(
            version, "0.11.2", f"{instance.name}: an instance on {seat.nodes} nodes without Ray"
        )
        flags |= {"--nnodes": seat.nodes, "--node-rank": seat.rank, "--master-addr": seat.head}
        flags["--master-port"] = seat.rendezvous_port
        if not seat.leads:
            flags["--headless"] = None
    return Process(("vllm", "serve", plain(instance.repository)), flags, environment)


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


ENGINE = Engine(
    name="vllm",
    title="vLLM",
    versions=_VERSIONS,
    image="vllm/vllm-openai:v{version}",
    process=_process,
)
