import dataclasses

import pytest

from models.architecture import architecture
from models.hardware import gpu
from planner.resharding import AllReduceBandwidth, HostBuffer, PhaseRoofline

GiB = 2**30


@pytest.fixture
def host():
    return HostBuffer(bytes_per_gpu=80 * GiB, bandwidth_bytes_per_s=16 * GiB)


@pytest.fixture
def llama():
    """LLaMA2-70B on the A10 of the paper's Table 1, all-reduce falling off at eight GPUs."""
    a10 = dataclasses.replace(
        gpu("a10-24gb"),
        memory_bytes=24 * GiB,
        memory_bandwidth_bytes_per_s=600 * GiB,
        peak_flops={"bf16": 125e12},
    )
    return PhaseRoofline(
        architecture=architecture("llama-2-70b"),
        gpu=a10,
        all_reduce=AllReduceBandwidth(bytes_per_s={2: 10e9, 4: 8e9, 8: 1.5e9}),
    )


@pytest.fixture(scope="session")
def llama_any():
    return PhaseRoofline(
        architecture=architecture("llama-2-70b"),
        gpu=gpu("a10-24gb"),
        all_reduce=AllReduceBandwidth(bytes_per_s={2: 10e9, 4: 8e9, 8: 1.5e9}),
    )
