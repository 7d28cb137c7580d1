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

from models.architecture import architecture
from models.errors import FulcrumError, InvalidInput
from models.hardware import gpu
from models.profiles.importers.aiconfigurator import SYSTEMS
from models.serving import Configuration, Engine, Parallelism, engine

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
    """All rows as written, and the same rows without the measured columns."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read the rows: {error}", source=str(path)) from None
    needed = {"backend", "model_path", "system", "mode", "isl", "osl", "tp_size", "silicon_data_source"}
    if not rows or needed - rows[0].keys():
        missing = ", ".join(sorted(needed - (rows[0].keys() if rows else set())))
        raise InvalidInput(f"not a table of serving results; missing: {missing or 'rows'}", source=str(path))
    return rows, [{k: v for k, v in row.items() if k not in MEASURED} for row in rows]


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
    found = re.search(r"silicon_concurrency=(\d+)", source)
    if not found:
        return Refused(name, "no concurrency stated: not a closed loop")
    if "gtl_" in source:
        return Refused(name, "a job of NVIDIA's cluster: how many replicas share the clients is not stated")
    if row["system"] not in SYSTEMS:
        return Refused(name, f"no profile of {row['system']}")
    suspect = _suspect(row)
    if suspect:
        return Refused(name, suspect)
    harness: Harness = "nvidia" if "aic-auto-gap-analysis" in source else "inferencex"
    concurrency = int(found.group(1))
    if row["mode"] == "disagg":
        return _disaggregated(row, name, harness, concurrency)
    configuration = _configuration(row, "", harness, concurrency)
    return Case(
        name=name,
        model=row["model_path"],
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
    prefill = _configuration(row, "prefill_", harness, concurrency)
    return Case(
        name=name,
        model=row["model_path"],
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
    settings = _engine(row, harness)
    weights = _weights(row, model.name)
    budget = _budget(settings.name, harness)
    prompt = int(row["isl"])
    if settings.schedule == "packed":  # whole prompts: the budget must hold one beside the decodes
        budget = max(budget, prompt + concurrency)
    return Configuration(
        architecture=model,
        gpu=gpu(SYSTEMS[row["system"]]),
        parallelism=_parallelism(row, prefix),
        engine=settings,
        weights=weights,
        kv_cache=_kv_cache(settings.name, weights),
        max_num_seqs=_slots(settings.name, harness, weights, concurrency),
        max_num_batched_tokens=max(budget, concurrency + 1),
    )


def _slots(engine_name: str, harness: Harness, weights: str, concurrency: int) -> int:
    """Requests that run at once: one a client.

    NVIDIA's bf16 series on TensorRT-LLM ran with one fewer: over all its lengths and degrees a request waits
    for the life of a request ÷ clients before its first token.
    """
    one_fewer = engine_name == "tensorrt-llm" and harness == "nvidia" and weights == "bf16"
    return max(concurrency - one_fewer, 1)


def _catalogue_name(path: str) -> str:
    names = {
        "nvidia/DeepSeek-R1-NVFP4": "deepseek-r1",
        "nvidia/DeepSeek-V3.1-NVFP4": "deepseek-v3",
        "nvidia/Qwen3-32B-NVFP4": "qwen3-32b",
        "nvidia/Llama-3.1-8B-Instruct-FP8": "llama-3.1-8b",
    }
    return names.get(path, path)


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


def _kv_cache(engine_name: str, weights: str) -> str:
    """The cache format is not in the rows: what each engine's recipes use."""
    if engine_name == "tensorrt-llm":
        return "bf16" if weights == "bf16" else "fp8"
    return "bf16"


def _parallelism(row: Mapping[str, str], prefix: str) -> Parallelism:
    """Degrees of a row; the name of a run carries its launch flags where the columns were misread."""

    def column(name: str) -> int:
        text = row.get(prefix + name) or "1"
        return max(int(float(text)), 1)

    tp, pp, dp = column("tp_size"), column("pp_size"), column("attention_dp_size")
    moe_tp, moe_ep = column("moe_tp_size"), column("moe_ep_size")
    flags = re.search(r"_tp(\d+)(?:_\d+)?_ep(\d+)", row.get("id", "")) if not prefix else None
    dense = not architecture(_catalogue_name(row["model_path"])).is_moe
    if flags and row["mode"] == "agg":
        gpus, moe_ep = int(flags.group(1)), int(flags.group(2))
    else:
        gpus = max(tp * dp, moe_tp * moe_ep if not dense else 1)
        if not prefix and gpus > 8:
            gpus = 8
    if dense:
        return Parallelism(tensor_parallel_size=tp, pipeline_parallel_size=pp)
    moe_ep = min(moe_ep, gpus)
    if dp > 1:
        return Parallelism(data_parallel_size=gpus, pipeline_parallel_size=pp, expert_parallel_size=moe_ep)
    return Parallelism(tensor_parallel_size=gpus, pipeline_parallel_size=pp, expert_parallel_size=moe_ep)


def _engine(row: Mapping[str, str], harness: Harness) -> Engine:
    settings = engine(row["backend"])
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
