import dataclasses

import pytest

from models.architecture import architecture
from models.hardware import gpu
from models.serving import Configuration, InstanceModel, Parallelism, engine


@pytest.fixture(scope="session")
def decode_instance():
    """A decode instance of an 8B model; `places` in its batch."""

    def make(places=8):
        return InstanceModel.of(
            Configuration(
                architecture=architecture("llama-3.1-8b"),
                gpu=gpu("h100-sxm-80gb"),
                parallelism=Parallelism(),
                engine=engine("vllm"),
                role="decode",
                max_num_seqs=places,
                max_num_batched_tokens=2048,
            )
        )

    return make


@pytest.fixture(scope="session")
def small_cache():
    """The instance with room for so many tokens only."""

    def shrink(instance, tokens):
        return dataclasses.replace(
            instance, memory=dataclasses.replace(instance.memory, kv_cache_tokens=tokens)
        )

    return shrink
