"""Names of devices in the GPU catalogue."""

import pytest

from models.profiles.manifest import DeviceInfo
from profiler.finish import catalogue_name


@pytest.mark.parametrize(
    ("name", "memory", "expected"),
    [
        ("NVIDIA H200", 150_754_820_096, "h200-sxm-141gb"),
        ("NVIDIA H100 80GB HBM3", 85_045_018_624, "h100-sxm-80gb"),
        ("NVIDIA A100-SXM4-80GB", 84_974_239_744, "a100-sxm-80gb"),
        ("NVIDIA L40S", 47_697_362_944, "l40s-48gb"),
        ("NVIDIA Unheard-Of", 10**9, ""),
    ],
)
def test_driver_names_are_recognised(name: str, memory: int, expected: str) -> None:
    assert catalogue_name(DeviceInfo(name=name, kind="cuda", memory_bytes=memory)) == expected


def test_a_cpu_is_in_no_catalogue() -> None:
    assert catalogue_name(DeviceInfo(name="H200", kind="cpu", memory_bytes=1)) == ""
