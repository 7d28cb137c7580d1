"""Rows of AIConfigurator's table of measured serving results, as configurations and closed loops.

Only columns that describe the run are read; those that hold the measurement are dropped on load. Whatever
cannot be predicted is refused with a stated rule that looks at the description alone.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from benchmarks.silicon.recipes import (
    RECIPE_CLIENTS,
    clients,
    decode_seats,
    drafts,
    most_clients,
    replicas_wait,
    token_budget,
)
from models.architecture import architecture
from models.errors import FulcrumError, InvalidInput
from models.hardware import gpu
from models.profiles.importers.aiconfigurator import SYSTEMS
from models.serving import Configuration, Engine, Parallelism, Role, engine

__all__ = ["MEASURED", "Case", "Harness", "Kind", "Refused", "parse_row", "read_rows"]

MEASURED = ("silicon_ttft_ms", "silicon_tpot_ms")
Harness = Literal["inferencex", "nvidia"]
"""Who ran it: InferenceX (random lengths from 0.8 L to L), or NVIDIA's own runs (every length exactly L)."""


Kind = Literal["sure", "unsure", "apart"]
"""Aggregated; aggregated, but an unknown part of such rows used multi-token prediction; disaggregated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row that can be predicted.

    Parameters
    ----------
    configuration
        What was run. Of a disaggregated row: its decode workers.
    prefill
        Of a disaggregated row: its prefill workers.
    workers
        Numbers of prefill and decode workers; (0, 1) for an aggregated row.
    """

    name: str
    model: str
    harness: Harness
    configuration: Configuration
    concurrency: int
    input_tokens: int
    output_tokens: int
    prefill: Configuration | None = None
    workers: tuple[int, int] = (0, 1)

    @property
    def kind(self) -> Kind:
        """What sort of prediction it is, by its description alone; each sort has intervals of its own."""
        if self.prefill is not None:
            return "apart"
        config = self.configuration
        unsure = config.engine.name == "tensorrt-llm" and config.architecture.name.startswith("deepseek")
        return "unsure" if unsure else "sure"


@dataclass(frozen=True, slots=True)
class Refused:
    """One row that is not predicted, and the rule that says so."""

    name: str
    reason: str


def read_rows(path: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """All rows as written, and the same rows without the measured columns and with `RECIPE_CLIENTS`."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read the rows: {error}", source=str(path)) from None
    needed = {"backend", "model_path", "system", "mode", "isl", "osl", "tp_size", "silicon_data_source"}
    if not rows or needed - rows[0].keys():
        missing = ", ".join(sorted(needed - (rows[0].keys() if rows else set())))
        raise InvalidInput(f"not a table of serving results; missing: {missing or 'rows'}", source=str(path))
    described = [{k: v for k, v in row.items() if k not in MEASURED} for row in rows]
    most = most_clients(described)
    return rows, [{**d, RECIPE_CLIENTS: str(n)} for d, n in zip(described, most, strict=True)]


def parse_row(row: Mapping[str, str]) -> Case | Refused:
    """The case a row describes, or why it is refused."""
    name = row.get("id", "")
    try:
        return _parse(row, name)
    except FulcrumError as error:
        return Refused(name, error.message)
    except (ValueError, KeyError) as error:
        return Refused(name, f"unreadable: {error}")


def _parse(row: Mapping[str, str], name: str) -> Case | Refused:
    source = row["silicon_data_source"]
    concurrency = clients(row)
    if concurrency is None:
        return Refused(name, "no concurrency stated: not a closed loop")
    if "gtl_" in source:
        return Refused(name, "a job of NVIDIA's cluster: how many replicas share the clients is not stated")
    if row["system"] not in SYSTEMS:
        return Refused(name, f"no profile of {row['system']}")
    suspect = _suspect(row)
    if suspect:
        return Refused(name, suspect)
    harness: Harness = "nvidia" if "aic-auto-gap-analysis" in source else "inferencex"
    if row["mode"] == "disagg":
        return _disaggregated(row, name, harness, concurrency)
    configuration = _configuration(row, "", harness, concurrency)
    return Case(
        name=name,
        model=_model(row["model_path"]),
        harness=harness,
        configuration=configuration,
        concurrency=concurrency,
        input_tokens=int(row["isl"]),
        output_tokens=int(row["osl"]),
    )


def _suspect(row: Mapping[str, str]) -> str:
    """Rules that do not look at the measurement."""
    model, backend, mode = row["model_path"], row["backend"], row["mode"]
    if model == "nvidia/Llama-3.1-8B-Instruct-FP8":
        return "prefix cache suspected: prompts of this series repeat"
    deepseek = "deepseek" in model.casefold()
    if deepseek and backend == "trtllm" and mode == "agg" and row["system"] in ("h100_sxm", "h200_sxm"):
        return "multi-token prediction suspected: TensorRT-LLM recipe for DeepSeek"
    return ""


def _disaggregated(row: Mapping[str, str], name: str, harness: Harness, concurrency: int) -> Case | Refused:
    if not row.get("prefill_num_workers") or not row.get("decode_num_workers"):
        return Refused(name, "disaggregated without worker counts: the load of a worker is unknown")
    workers = (int(float(row["prefill_num_workers"])), int(float(row["decode_num_workers"])))
    share = -(-concurrency // workers[1])
    decode = _configuration(row, "decode_", harness, share)
    decode = replace(decode, max_num_seqs=decode_seats(row, share, workers[1], decode.parallelism))
    prefill = _configuration(row, "prefill_", harness, concurrency)
    return Case(
        name=name,
        model=_model(row["model_path"]),
        harness=harness,
        configuration=decode,
        prefill=prefill,
        workers=workers,
        concurrency=concurrency,
        input_tokens=int(row["isl"]),
        output_tokens=int(row["osl"]),
    )


def _configuration(row: Mapping[str, str], prefix: str, harness: Harness, concurrency: int) -> Configuration:
    model = architecture(_catalogue_name(row["model_path"]))
    settings = _engine(row, harness, concurrency)
    weights = _weights(row, model.name)
    prompt = int(row["isl"])
    budget = _budget(settings.name, harness)
    if _blackwell(row) and weights == "fp8_block":  # recipes for fp8 on these GPUs
        if settings.name == "sglang":
            budget = 32768
        elif settings.name == "vllm":
            budget = 2 * prompt
    parallelism = _parallelism(row, prefix)
    speculation = None if prefix else drafts(row, parallelism)
    if not prefix:
        budget = token_budget(row, parallelism, speculation) or budget
        settings = replace(settings, balance_steps=replicas_wait(row, parallelism))
    # SGLang deals its budget out to the replicas of the attention
    ranks = parallelism.data_parallel_size if settings.name == "sglang" else 1
    if settings.schedule == "packed":  # whole prompts: the budget must hold one beside the decodes
        budget = max(budget, prompt + concurrency)
    return Configuration(
        architecture=model,
        gpu=gpu(SYSTEMS[row["system"]]),
        parallelism=parallelism,
        engine=settings,
        weights=weights,
        kv_cache=_kv_cache(settings.name, weights, blackwell=_blackwell(row)),
        role=ROLES[prefix],
        max_num_seqs=_slots(settings.name, harness, weights, concurrency),
        max_num_batched_tokens=max(budget // ranks, concurrency + 1 if not prefix else 1),
        speculation=speculation,
    )


def _slots(engine_name: str, harness: Harness, weights: str, concurrency: int) -> int:
    """Requests that run at once: one a client.

    NVIDIA's bf16 series on TensorRT-LLM ran with one fewer: over all its lengths and degrees a request waits
    for the life of a request ÷ clients before its first token.
    """
    one_fewer = engine_name == "tensorrt-llm" and harness == "nvidia" and weights == "bf16"
    return max(concurrency - one_fewer, 1)


def _model(path: str) -> str:
    """One name for what is one model to us: DeepSeek-V3 is filed under R1 as well, even the same runs."""
    return "deepseek-ai/DeepSeek-V3" if architecture(_catalogue_name(path)).name in DEEPSEEK else path


DEEPSEEK = ("deepseek-r1", "deepseek-v3")
"""Of one architecture."""


def _catalogue_name(path: str) -> str:
    names = {
        "nvidia/DeepSeek-R1-NVFP4": "deepseek-r1",
        "nvidia/DeepSeek-V3.1-NVFP4": "deepseek-v3",
        "nvidia/Qwen3-32B-NVFP4": "qwen3-32b",
        "nvidia/Llama-3.1-8B-Instruct-FP8": "llama-3.1-8b",
    }
    return names.get(path, path)


ROLES: dict[str, Role] = {"": "mixed", "prefill_": "prefill", "decode_": "decode"}
"""Of the columns that begin so."""
GPUS_PER_NODE = 8
"""No aggregated worker of these runs is larger."""
BLOCK_SCALED = ("deepseek", "glm", "kimi", "minimax", "qwen3-235b", "qwen3.5")
"""Families whose fp8 checkpoints are scaled by blocks, whatever the row calls them."""


def _weights(row: Mapping[str, str], model: str) -> str:
    quant = row.get("gemm_quant_mode") or ""
    if model.startswith("gpt-oss"):
        return "mxfp4"
    known = {
        "": "bf16",
        "bfloat16": "bf16",
        "fp8": "fp8",
        "fp8_block": "fp8_block",
        "nvfp4": "nvfp4",
        "int4_wo": "int4",
    }
    if quant not in known:
        raise InvalidInput(f"quantisation {quant!r} is not known")
    weights = known[quant]
    if weights == "fp8" and model.startswith(BLOCK_SCALED):
        return "fp8_block"
    return weights


def _blackwell(row: Mapping[str, str]) -> bool:
    return gpu(SYSTEMS[row["system"]]).generation == "blackwell"


def _kv_cache(engine_name: str, weights: str, *, blackwell: bool) -> str:
    """The cache format is not in the rows: what each engine's recipes use."""
    if engine_name == "tensorrt-llm" or blackwell:
        return "bf16" if weights == "bf16" else "fp8"
    return "bf16"


def _parallelism(row: Mapping[str, str], prefix: str) -> Parallelism:
    """Degrees of a row; the name of a run carries its launch flags where the columns were misread.

    Aggregated rows of two dumps hold products of the launch flags TP t and EP e instead: a tensor parallel
    degree (of the attention: a data-parallel one) of t × e beside experts cut in t and e, and of vLLM's rows
    t and e as tensor and data parallel degrees with experts cut in t × e. That these ran without replicas of
    the attention is known from an earlier dump of the same runs, which has the flags.
    """

    def column(name: str) -> int:
        text = row.get(prefix + name) or "1"
        return max(int(float(text)), 1)

    tp, pp, dp = column("tp_size"), column("pp_size"), column("attention_dp_size")
    moe_tp, moe_ep = column("moe_tp_size"), column("moe_ep_size")
    if not architecture(_catalogue_name(row["model_path"])).is_moe:
        return Parallelism(tensor_parallel_size=tp, pipeline_parallel_size=pp)
    flags = re.search(r"_tp(\d+)(?:_\d+)?_ep(\d+)", row.get("id", "")) if not prefix else None
    if flags:
        gpus, moe_ep = int(flags.group(1)), int(flags.group(2))
    elif not prefix and tp > 1 and dp > 1:
        gpus, moe_ep = tp, dp
    elif not prefix and moe_tp > 1 and moe_ep > 1:
        gpus = moe_tp
    else:
        gpus = max(tp * dp, moe_tp * moe_ep)
    if not prefix and tp > 1:
        dp = 1
    if prefix and row["backend"] == "vllm" and gpus > GPUS_PER_NODE:
        dp = gpus  # its workers over several nodes are replicas of the attention, one a GPU
    moe_ep = min(moe_ep, gpus)
    if not prefix and gpus > GPUS_PER_NODE:
        raise InvalidInput(f"aggregated over more than {GPUS_PER_NODE} GPUs: they are of several workers")
    if dp > 1:
        return Parallelism(data_parallel_size=gpus, pipeline_parallel_size=pp, expert_parallel_size=moe_ep)
    return Parallelism(tensor_parallel_size=gpus, pipeline_parallel_size=pp, expert_parallel_size=moe_ep)


def _engine(row: Mapping[str, str], harness: Harness, concurrency: int) -> Engine:
    settings = engine(row["backend"])
    if settings.name == "sglang" and harness == "inferencex" and _blackwell(row):
        # recipes of DeepSeek and Qwen poll for requests every 10 decode steps, 30 from 16 clients on
        polls = 1 if "glm" in row["model_path"].casefold() else 10 if concurrency < 16 else 30
        return replace(settings, poll_steps=polls)
    if settings.name == "tensorrt-llm":
        return replace(settings, memory_fraction=0.80 if harness == "inferencex" else 0.72)
    return settings


def _budget(engine_name: str, harness: Harness) -> int:
    budgets = {
        ("vllm", "inferencex"): 8192,
        ("vllm", "nvidia"): 2048,
        ("sglang", "inferencex"): 16384,
        ("sglang", "nvidia"): 16384,
        ("tensorrt-llm", "inferencex"): 20000,
        ("tensorrt-llm", "nvidia"): 8192,
    }
    return budgets[engine_name, harness]
