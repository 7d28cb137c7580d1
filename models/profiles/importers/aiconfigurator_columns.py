"""Columns of AIConfigurator's files under the names of our operations; one function a kind of file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.profiles.importers import keep

__all__ = [
    "Column",
    "Rows",
    "Source",
    "decode",
    "delta_net",
    "experts",
    "gemm",
    "latent_decode",
    "latent_prefill",
    "latent_products",
    "module_decode",
    "module_prefill",
    "nccl",
    "own_all_reduce",
    "prefill",
]

FORMATS = {"bfloat16": "bf16", "float16": "fp16", "half": "bf16"}

Column = npt.NDArray[np.generic]
Rows = dict[str, Column]


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its columns, and the library its rows belong to."""

    rows: Rows
    library: str

    def __getitem__(self, name: str) -> Column:
        return self.rows[name]

    def formats(self, name: str) -> Column:
        """A column of number formats, by our names."""
        values = self.rows[name]
        return np.array([FORMATS.get(v, v) for v in values.tolist()])

    def where(self, mask: npt.NDArray[np.bool_]) -> Source:
        return Source({k: v[mask] for k, v in self.rows.items()}, self.library)


def gemm(source: Source) -> Rows:
    """Products of tokens with a weight."""
    return {"dtype": source.formats("gemm_dtype"), "m": source["m"], "n": source["n"], "k": source["k"]}


def _heads(source: Source) -> Rows:
    return {
        "dtype": source.formats("attn_dtype"),
        "kv_dtype": source.formats("kv_cache_dtype"),
        "batch_size": source["batch_size"],
        "num_heads": source["num_heads"],
        "num_kv_heads": source["num_key_value_heads"],
        "head_dim": source["head_dim"],
        "value_dim": source["head_dim"],
        "window_size": source["window_size"],
    }


def prefill(source: Source) -> Rows:
    """Causal attention of prompts; ``step`` is what is cached before them."""
    return {**_heads(source), "query_len": source["isl"], "prefix_len": source["step"]}


def decode(source: Source) -> Rows:
    """Attention of one new token; ``step`` is what is cached before it."""
    step = source["step"].astype(np.int64)
    return {**_heads(source), "query_len": np.ones_like(step), "kv_len": step + 1}


def latent_prefill(source: Source) -> Rows:
    """Latent attention of prompts in head space, with DeepSeek's head sizes."""
    heads = source["num_heads"].astype(np.int64)
    return {
        "dtype": source.formats("mla_dtype"),
        "kv_dtype": source.formats("kv_cache_dtype"),
        "batch_size": source["batch_size"],
        "num_heads": heads,
        "num_kv_heads": heads,
        "head_dim": np.full_like(heads, 192),
        "value_dim": np.full_like(heads, 128),
        "window_size": np.zeros_like(heads),
        "query_len": source["isl"],
        "prefix_len": source["step"],
    }


def latent_decode(source: Source) -> Rows:
    """Latent attention of one new token over the compressed cache."""
    heads = source["num_heads"].astype(np.int64)
    return {
        "dtype": source.formats("mla_dtype"),
        "kv_dtype": source.formats("kv_cache_dtype"),
        "batch_size": source["batch_size"],
        "kv_len": source["step"].astype(np.int64) + 1,
        "num_heads": heads,
        "head_dim": np.full_like(heads, 576),
        "value_dim": np.full_like(heads, 512),
    }


def latent_products(source: Source) -> Rows:
    """The products that absorb the up-projections of a latent attention."""
    before = source["op_name"] == "mla_gen_pre"
    return {
        "dtype": source.formats("bmm_dtype"),
        "batch": source["num_heads"],
        "m": source["num_tokens"],
        "n": np.where(before, 512, 128),
        "k": np.where(before, 128, 512),
    }


def _module(source: Source) -> Rows:
    names = {m: keep.MODULES.get(m, "") for m in np.unique(source["model"]).tolist()}
    return {
        "module": np.array([names[m] for m in source["model"].tolist()]),
        "dtype": source.formats("mla_dtype"),
        "kv_dtype": source.formats("kv_cache_dtype"),
        "gemm_dtype": source.formats("gemm_type"),
        "batch_size": source["batch_size"],
        "num_heads": source["num_heads"],
    }


def module_prefill(source: Source) -> Rows:
    """Whole attention modules over prompts."""
    return {**_module(source), "query_len": source["isl"], "prefix_len": source["step"]}


def module_decode(source: Source) -> Rows:
    """Whole attention modules over one new token; ``step`` is the length it sees."""
    return {**_module(source), "kv_len": np.maximum(source["step"].astype(np.int64), 1)}


def experts(source: Source) -> Rows:
    """Routed experts of one layer."""
    same = (
        "num_tokens",
        "hidden_size",
        "inter_size",
        "num_experts",
        "moe_tp_size",
        "moe_ep_size",
        "distribution",
    )
    return {"dtype": source.formats("moe_dtype"), "top_k": source["topk"], **{n: source[n] for n in same}}


def delta_net(source: Source) -> Rows:
    """Gated delta net: one row a kernel, which the caller adds."""
    phase = np.where(source["phase"] == "context", "prefill", "decode")
    length = np.where(phase == "prefill", source["seq_len"].astype(np.int64), 1)
    return {
        "module": np.full(phase.size, "gdn"),
        "phase": phase,
        "batch_size": source["batch_size"],
        "seq_len": length,
        "num_key_heads": source["num_k_heads"],
        "num_value_heads": source["num_v_heads"],
        "key_dim": source["head_k_dim"],
        "value_dim": source["head_v_dim"],
    }


def own_all_reduce(source: Source) -> Rows:
    """An engine's own all-reduce, from the host or inside a CUDA graph."""
    count = source["message_size"].size
    if "backend" in source.rows:
        mode = np.array(["graph" if "graph" in b else "eager" for b in source["backend"].tolist()])
    else:
        mode = np.full(count, "graph")
    return {
        "dtype": source.formats("allreduce_dtype"),
        "mode": mode,
        "num_gpus": source["num_gpus"],
        "size_bytes": source["message_size"],
    }


def nccl(source: Source) -> Rows:
    """A collective of NCCL."""
    count = source["message_size"].size
    return {
        "dtype": source.formats("nccl_dtype"),
        "mode": np.full(count, "eager"),
        "num_gpus": source["num_gpus"],
        "size_bytes": source["message_size"],
    }
