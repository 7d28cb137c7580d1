"""Shards of catalogue models have the shapes their engines compute."""

import pytest

from models.errors import UnknownName
from profiler.shapes import shapes_of
from profiler.space import Request


def test_llama_70b_under_tp_4_and_8() -> None:
    found = shapes_of(Request(models=("llama-3.1-70b",), tensor_parallel_sizes=(4, 8)))

    # qkv: (64 + 2·8)·128 / tp rows of 8192; gate and up: 2·28672 / tp
    assert (2560, 8192) in found.gemms
    assert (1280, 8192) in found.gemms
    assert (14336, 8192) in found.gemms
    assert (8192, 3584) in found.gemms
    assert found.attention == ((8, 1, 128, 0), (16, 2, 128, 0))
    assert found.experts == ()
    assert 8192 in found.widths


def test_experts_are_cut_both_ways() -> None:
    found = shapes_of(Request(models=("mixtral-8x7b",), tensor_parallel_sizes=(2,)))

    assert found.experts == ((4096, 14336, 2, 8, 1, 2), (4096, 14336, 2, 8, 2, 1))


def test_latent_attention_decodes_absorbed_and_prefills_expanded() -> None:
    found = shapes_of(Request(models=("deepseek-v3",), tensor_parallel_sizes=(8,)))

    assert found.latent == ((16, 576, 512),)
    assert (16, 16, 192, 0) in found.attention


def test_the_whole_catalogue_has_shapes() -> None:
    found = shapes_of(Request())

    assert len(found.gemms) > 100
    assert len(found.experts) > 20


def test_unknown_model() -> None:
    with pytest.raises(UnknownName, match=r"llama-3\.1-70b"):
        shapes_of(Request(models=("llama-3.1-70c",)))
