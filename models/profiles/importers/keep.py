"""Which rows of AIConfigurator's tables are kept: what changes a prediction, a few per cent of their volume.

A function takes the columns of a file and returns the rows to keep.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = [
    "DESCRIPTION",
    "MODULES",
    "attention_decode",
    "attention_prefill",
    "bf16_products",
    "delta_net",
    "everything",
    "experts",
    "gemm",
    "latent_decode",
    "module_decode",
    "module_prefill",
    "one_prompt",
]

Rows = dict[str, npt.NDArray[np.generic]]
Mask = npt.NDArray[np.bool_]

DESCRIPTION = (
    "products at 24 row counts, from 128 columns and rows of weight up; attention of single prompts, and of "
    "decode batches at powers of two; head sizes 64, 128, 192, 256, windows 0 and 128; experts routed by "
    "power_law_1.01"
)
GEMM_ROWS = (
    1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192,
    16384, 32768,
)  # fmt: skip
EXPERT_FORMATS = (
    "bfloat16", "fp8", "fp8_block", "nvfp4", "int4_wo", "w4a16_mxfp4", "w4a8_mxfp4_mxfp8",
)  # fmt: skip
MODULES = {
    "deepseek-ai/DeepSeek-V3": "mla:deepseek-v3",
    "deepseek-ai/DeepSeek-V3.2": "dsa:deepseek-v3.2",
    "zai-org/GLM-5-FP8": "dsa:glm-5",
    "zai-org/GLM-5": "dsa:glm-5",
}
"""Their model → our name of the attention module; other models' rows are not kept."""


def everything(rows: Rows) -> Mask:
    """All rows."""
    return np.ones(rows["latency"].size, dtype=bool)


def gemm(rows: Rows) -> Mask:
    """Row counts of the list; weights of at least 128 × 128; no weight-only integers."""
    formats = np.isin(rows["gemm_dtype"], ("bfloat16", "fp8", "fp8_block", "nvfp4"))
    large = formats & (rows["n"].astype(np.int64) >= 128) & (rows["k"].astype(np.int64) >= 128)
    return np.asarray(large & np.isin(rows["m"].astype(np.int64), GEMM_ROWS))


def _common_heads(rows: Rows) -> Mask:
    sizes = np.isin(rows["head_dim"].astype(np.int64), (64, 128, 192, 256))
    return sizes & np.isin(rows["window_size"].astype(np.int64), (0, 128))


def attention_prefill(rows: Rows) -> Mask:
    """Single prompts from an empty cache."""
    return one_prompt(rows) & _common_heads(rows)


def one_prompt(rows: Rows) -> Mask:
    """Batch 1, nothing cached."""
    alone = (rows["batch_size"].astype(np.int64) == 1) & (rows["step"].astype(np.int64) == 0)
    return np.asarray(alone)


def attention_decode(rows: Rows) -> Mask:
    """Every other context below 128, all above; batches up to 512."""
    step = rows["step"].astype(np.int64) + 1
    lengths = (step >= 128) | np.isin(step, (2, 16))
    return np.asarray(lengths & _common_heads(rows) & (rows["batch_size"].astype(np.int64) <= 512))


def latent_decode(rows: Rows) -> Mask:
    """As `attention_decode`, without head sizes."""
    step = rows["step"].astype(np.int64) + 1
    small = rows["batch_size"].astype(np.int64) <= 512
    return np.asarray(((step >= 128) | np.isin(step, (2, 16))) & small)


def bf16_products(rows: Rows) -> Mask:
    """The bf16 products: decoding keeps them in bf16."""
    return np.asarray(rows["bmm_dtype"] == "bfloat16")


def _known_module(rows: Rows) -> Mask:
    plain = np.char.find(rows["op_name"].astype(np.str_), "skip_indexer") < 0
    return plain & np.isin(rows["model"], list(MODULES))


def module_prefill(rows: Rows) -> Mask:
    """Single prompts from an empty cache."""
    return one_prompt(rows) & _known_module(rows)


def module_decode(rows: Rows) -> Mask:
    """Powers of two of context from 16 up, and batches up to 512."""
    step = rows["step"].astype(np.int64)
    power = (step & (step - 1)) == 0
    batch = rows["batch_size"].astype(np.int64) <= 512
    return np.asarray(power & ((step >= 128) | np.isin(step, (1, 2, 16))) & batch & _known_module(rows))


def experts(rows: Rows) -> Mask:
    """The routing nearest to measured traffic, in formats that engines load."""
    known = np.isin(rows["moe_dtype"], EXPERT_FORMATS)
    return np.asarray(known & (rows["distribution"] == "power_law_1.01"))


def delta_net(rows: Rows) -> Mask:
    """Single prompts, and decode batches."""
    context = rows["phase"] == "context"
    return np.asarray(~context | (rows["batch_size"].astype(np.int64) == 1))
