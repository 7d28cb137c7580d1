"""TensorRT-LLM launch commands: ``trtllm-serve`` with the PyTorch back-end, one per instance.

Flags as documented for TensorRT-LLM 1.2 (``nvidia.github.io/TensorRT-LLM``, "trtllm-serve"). What
the command line cannot say is refused: the format of the KV cache and the hand-over between prefill and
decode live in a YAML file of their own, instances on several nodes need an MPI launcher, and weights are
never quantised while loading.
"""

from __future__ import annotations

from models.errors import Unsupported
from planner.export import Options
from planner.export.shared.launch import Engine, LaunchCommand, Process, Seat, commands_of
from planner.export.shared.shell import script
from planner.export.shared.version import Versions
from planner.export.shared.words import plain
from planner.plan import Instance, Plan

__all__ = ["ENGINE", "FORMAT_VERSION", "SUMMARY", "export", "launch_commands"]

SUMMARY = "one `trtllm-serve` command per instance"
_VERSIONS = Versions(engine="TensorRT-LLM", first="1.2.0", last="1.2", default="1.2.0")
FORMAT_VERSION = f"TensorRT-LLM {_VERSIONS.first} to {_VERSIONS.last}"

_CACHE_OF_WEIGHTS = {"fp8", "nvfp4"}
"""Checkpoints made with ModelOpt, whose quantisation config also says that the cache is fp8."""


def export(plan: Plan, options: Options) -> str:
    """Return a shell text: for each instance a comment and the command to run there."""
    return script(plan, ENGINE, _VERSIONS.choose(options.engine_version))


def launch_commands(plan: Plan, version: str = "") -> tuple[LaunchCommand, ...]:
    """Return the commands for the TensorRT-LLM instances of a plan, as words."""
    return tuple(commands_of(plan, ENGINE, _VERSIONS.choose(version)))


def _process(instance: Instance, seat: Seat, version: str) -> Process:
    """Return ``trtllm-serve`` with its flags for an instance; alike in all versions."""
    del version
    _refuse(instance, seat)
    flags: dict[str, str | int | float | None] = {
        "--backend": "pytorch",
        "--served_model_name": plain(instance.model),
        "--tp_size": instance.tensor_parallel_size,
        "--pp_size": instance.pipeline_parallel_size,
        "--max_seq_len": instance.max_model_len,
        "--max_batch_size": instance.max_num_seqs,
        "--max_num_tokens": instance.max_num_batched_tokens,
        # Both are the share of what weights and activations leave free.
        "--kv_cache_free_gpu_memory_fraction": instance.gpu_memory_utilization,
        "--host": "0.0.0.0",  # noqa: S104 - clients are on other machines
        "--port": seat.port,
    }
    if instance.expert_parallel_size > 1:
        flags["--ep_size"] = instance.expert_parallel_size
    return Process(("trtllm-serve", plain(instance.repository)), flags)


def _refuse(instance: Instance, seat: Seat) -> None:
    name = instance.name
    if seat.nodes > 1:
        raise Unsupported(
            f"{name}: trtllm-serve on {seat.nodes} nodes needs an MPI launcher (trtllm-llmapi-launch)"
        )
    if instance.data_parallel_size > 1:
        raise Unsupported(
            f"{name}: trtllm-serve is told about attention data parallelism in a YAML file "
            "(enable_attention_dp), not by flags"
        )
    if instance.drafting is not None:
        raise Unsupported(
            f"{name}: trtllm-serve is told about speculative decoding in a YAML file (speculative_config), "
            "not by flags"
        )
    if instance.adapter_slots:
        raise Unsupported(f"{name}: trtllm-serve is told about LoRA adapters in a YAML file, not by flags")
    if instance.role != "mixed":
        raise Unsupported(
            f"{name}: trtllm-serve is told about a hand-over of the KV cache in a YAML file "
            "(cache_transceiver_config), not by flags"
        )
    if instance.weights != instance.checkpoint:
        raise Unsupported(
            f"{name}: TensorRT-LLM makes no {instance.weights} of the {instance.checkpoint} checkpoint "
            f"{instance.repository}; give the config.json of a checkpoint in that precision as architecture"
        )
    expected = "fp8" if instance.checkpoint in _CACHE_OF_WEIGHTS else "bf16"
    if instance.kv_cache != expected:
        raise Unsupported(
            f"{name}: trtllm-serve takes the format of the KV cache from the checkpoint ({expected} for "
            f"{instance.checkpoint}) or a YAML file (kv_cache_config.dtype), no {instance.kv_cache} by a flag"
        )


ENGINE = Engine(
    name="tensorrt-llm",
    title="TensorRT-LLM",
    versions=_VERSIONS,
    image="nvcr.io/nvidia/tensorrt-llm/release:{version}",
    process=_process,
)
