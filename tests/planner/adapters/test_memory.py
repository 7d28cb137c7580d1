"""`planner.adapters.memory`: bytes of an adapter against its matrices written out."""

from __future__ import annotations

import pytest

from models.architecture import architecture
from models.errors import Unsupported
from models.serving import Parallelism
from planner.adapters.memory import adapter_bytes_per_gpu


def matrices_of_llama_8b(rank: int, tp: int) -> float:
    """A and B of each of the seven weights of a layer on one GPU, in bf16."""
    h, queries, keys, wide = 4096, 4096, 1024, 14336
    by_columns = [(h, queries), (h, keys), (h, keys), (h, wide), (h, wide)]
    by_rows = [(queries, h), (wide, h)]
    layer = sum(rank * (before + after / tp) for before, after in by_columns)
    layer += sum(rank * (before / tp + after) for before, after in by_rows)
    return 32 * layer * 2


@pytest.mark.parametrize(("rank", "tp"), [(16, 1), (64, 1), (16, 2), (8, 4)])
def test_adapters_of_a_dense_model(rank: int, tp: int) -> None:
    shape = Parallelism(tensor_parallel_size=tp)
    found = adapter_bytes_per_gpu(architecture("llama-3.1-8b"), shape, rank)
    assert found == pytest.approx(matrices_of_llama_8b(rank, tp))


def test_a_published_size() -> None:
    # 41.9 million parameters at rank 16 on all linear weights: what PEFT prints for Llama-3.1-8B
    shape = Parallelism(tensor_parallel_size=1)
    assert adapter_bytes_per_gpu(architecture("llama-3.1-8b"), shape, 16) == pytest.approx(2 * 41_943_040)


def test_stages_hold_their_own_layers_and_experts_have_none() -> None:
    one = adapter_bytes_per_gpu(architecture("llama-3.1-8b"), Parallelism(tensor_parallel_size=1), 16)
    half = Parallelism(tensor_parallel_size=1, pipeline_parallel_size=2)
    assert adapter_bytes_per_gpu(architecture("llama-3.1-8b"), half, 16) == pytest.approx(one / 2)
    experts = adapter_bytes_per_gpu(architecture("qwen3-30b-a3b"), Parallelism(tensor_parallel_size=1), 16)
    attention = 48 * 16 * ((2048 + 4096) + 2 * (2048 + 512) + (4096 + 2048)) * 2
    assert experts == pytest.approx(attention)


def test_latent_attention_is_refused() -> None:
    with pytest.raises(Unsupported, match="not sized"):
        adapter_bytes_per_gpu(architecture("deepseek-v3"), Parallelism(tensor_parallel_size=8), 16)
