"""SGLang launch commands, one per instance and node.

Flags as in the argument parsers of SGLang 0.4.8, 0.5.6 and 0.5.23 (PyPI) and documented at
``docs.sglang.io`` ("server arguments", "PD disaggregation").
An instance that spans nodes is started once a node with ``--nnodes``, ``--node-rank`` and
``--dist-init-addr``. Prefill and decode instances exchange their KV cache over NIXL; a router in front
decides who hands over to whom.
"""

from __future__ import annotations

from models.errors import Unsupported
from planner.export import Options
from planner.export.shared.launch import Engine, Flag, LaunchCommand, Process, Seat, commands_of
from planner.export.shared.shell import script
from planner.export.shared.version import Versions
from planner.export.shared.words import plain
from planner.plan import Instance, Plan

__all__ = ["ENGINE", "FORMAT_VERSION", "SUMMARY", "export", "launch_commands"]

SUMMARY = "one `sglang.launch_server` command per instance and node"
_VERSIONS = Versions(engine="SGLang", first="0.4.8", last="0.5", default="0.5.6")
FORMAT_VERSION = f"SGLang {_VERSIONS.first} to {_VERSIONS.last}"

_KV_CACHE_DTYPE = {"bf16": "auto", "fp8": "fp8_e4m3"}
_DRAFTING = {"mtp": "EAGLE", "eagle": "EAGLE", "eagle3": "EAGLE3", "draft_model": "STANDALONE"}
_QUANTISED_ON_LOAD = {"fp8": "fp8"}
_BOOTSTRAP_OFFSET = 3000
"""Bootstrap ports (8998 is SGLang's own default) follow the side-channel ports, so that each instance on a
node has its own.
"""


def export(plan: Plan, options: Options) -> str:
    """Return a shell text: for each instance and node a comment and the command to run there."""
    return script(plan, ENGINE, _VERSIONS.choose(options.engine_version))


def launch_commands(plan: Plan, version: str = "") -> tuple[LaunchCommand, ...]:
    """Return the commands for the SGLang instances of a plan, as words."""
    return tuple(commands_of(plan, ENGINE, _VERSIONS.choose(version)))


def _process(instance: Instance, seat: Seat, version: str) -> Process:
    """Return ``sglang.launch_server`` with its flags for one node of an instance."""
    replicas = instance.data_parallel_size
    flags: dict[str, Flag] = {
        "--model-path": plain(instance.repository),
        "--served-model-name": plain(instance.model),
        # SGLang's tensor-parallel size is that of all replicas, among which it divides tokens and requests.
        "--tp-size": instance.stage_gpus,
        "--context-length": instance.max_model_len,
        "--max-running-requests": instance.max_num_seqs,
        "--chunked-prefill-size": instance.max_num_batched_tokens * replicas,
        # Both are the share of the GPU that weights and cache may take.
        "--mem-fraction-static": instance.gpu_memory_utilization,
        "--kv-cache-dtype": _kv_cache_dtype(instance),
    }
    if instance.pipeline_parallel_size > 1:
        flags["--pp-size"] = instance.pipeline_parallel_size
    if replicas > 1:
        flags |= {"--dp-size": replicas, "--enable-dp-attention": None}
    if instance.expert_parallel_size > 1:
        _VERSIONS.require(version, "0.5.0", f"{instance.name}: expert parallelism by --ep-size alone")
        flags["--ep-size"] = instance.expert_parallel_size
    if (quantization := _quantization(instance)) is not None:
        flags["--quantization"] = quantization
    if (drafting := instance.drafting) is not None:
        if drafting.method == "draft_model":
            _VERSIONS.require(version, "0.5.3", f"{instance.name}: drafts by another model")
        flags |= {
            "--speculative-algorithm": _DRAFTING[drafting.method],
            "--speculative-num-steps": drafting.tokens,
            # a chain of drafts, no tree: each step of drafting adds one token
            "--speculative-eagle-topk": 1,
            "--speculative-num-draft-tokens": drafting.tokens + 1,
        }
        if drafting.repository:
            flags["--speculative-draft-model-path"] = plain(drafting.repository)
    if instance.adapter_slots:
        flags |= {"--enable-lora": None, "--max-loras-per-batch": instance.adapter_slots}
        flags["--max-lora-rank"] = instance.adapter_rank
        if instance.adapters:
            flags["--lora-paths"] = tuple(f"{a.name}={plain(a.repository)}" for a in instance.adapters)
    if instance.role != "mixed":
        if instance.pipeline_parallel_size > 1:
            raise Unsupported(f"{instance.name}: a hand-over of the KV cache between pipeline stages")
        flags |= {"--disaggregation-mode": instance.role, "--disaggregation-transfer-backend": "nixl"}
        if instance.role == "prefill":
            flags["--disaggregation-bootstrap-port"] = seat.side_channel_port + _BOOTSTRAP_OFFSET
    flags |= {"--host": "0.0.0.0", "--port": seat.port}  # noqa: S104 - clients are on other machines
    if seat.nodes > 1:
        flags |= {"--nnodes": seat.nodes, "--node-rank": seat.rank}
        flags["--dist-init-addr"] = f"{seat.head}:{seat.rendezvous_port}"
    return Process(("python3", "-m", "sglang.launch_server"), flags)


def _kv_cache_dtype(instance: Instance) -> str:
    if instance.kv_cache not in _KV_CACHE_DTYPE:
        known = ", ".join(_KV_CACHE_DTYPE)
        raise Unsupported(f"{instance.name}: SGLang has no KV cache in {instance.kv_cache}; it has {known}")
    return _KV_CACHE_DTYPE[instance.kv_cache]


def _quantization(instance: Instance) -> str | None:
    """Return the value of ``--quantization``; None where SGLang reads it from the checkpoint."""
    if instance.weights == instance.checkpoint:
        return None
    if instance.checkpoint != "bf16" or instance.weights not in _QUANTISED_ON_LOAD:
        raise Unsupported(
            f"{instance.name}: SGLang cannot load the {instance.checkpoint} checkpoint {instance.repository} "
            f"in {instance.weights}; give the config.json of a checkpoint in that precision as the "
            "architecture"
        )
    return _QUANTISED_ON_LOAD[instance.weights]


ENGINE = Engine(
    name="sglang",
    title="SGLang",
    versions=_VERSIONS,
    image="lmsysorg/sglang:v{version}",
    process=_process,
)
